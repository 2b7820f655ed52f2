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

  /// Whether this host has every address that the name stands for.
  var isOfThisHost: Bool {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, "0", &hints, &list) == 0 else { return false }
    defer { unsafe freeaddrinfo(list) }
    var next = unsafe list
    while let entry = unsafe next {
      guard unsafe Self.isBindable(entry.pointee) else { return false }
      unsafe next = entry.pointee.ai_next
    }
    return true
  }

  /// Only an address of its own can a host listen at.
  private static func isBindable(_ entry: addrinfo) -> Bool {
    let descriptor = unsafe socket(
      entry.ai_family, entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), entry.ai_protocol)
    // A host without IPv6 may still know such an address of itself.
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    return unsafe bind(descriptor, entry.ai_addr, entry.ai_addrlen) == 0
  }

  private static func connects(_ entry: addrinfo) -> Bool {
    let descriptor = unsafe socket(
      entry.ai_family, entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), entry.ai_protocol)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return unsafe connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0
  }
}
