import Glibc

extension ServerAddress {
  /// Whether something accepts connections there now.
  var isListening: Bool {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return false }
    defer { unsafe freeaddrinfo(list) }
    var next = unsafe list
    while let entry = unsafe next {
      if unsafe Self.connects(entry.pointee) { return true }
      unsafe next = entry.pointee.ai_next
    }
    return false
  }

  private static func connects(_ entry: addrinfo) -> Bool {
    let descriptor = unsafe socket(
      entry.ai_family, entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), entry.ai_protocol)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return unsafe connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0
  }
}
