import FoundationEssentials
import Subprocess
import SystemPackage
import TestSupport

/// What `ssh -L` leaves on this host: a port that leads to a server through another process.
enum Tunnel {
  /// Runs a body with the port of a tunnel to a port of this host.
  ///
  /// - Parameter directory: Where its own files may lie.
  static func with(
    to port: Int, in directory: String,
    _ body: @Sendable @escaping (_ port: Int) async throws -> Void
  ) async throws {
    let file = directory + "/tunnel-port"
    _ = try await Subprocess.run(
      .name("python3"), arguments: ["-c", program, "\(port)", file], input: .none,
      output: .discarded,
      error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
    ) { execution in
      do {
        try await eventually("the tunnel listens") { FileManager.default.fileExists(atPath: file) }
        try await body(Int(try String(contentsOfFile: file, encoding: .utf8)) ?? 0)
        try execution.send(signal: .kill)
      } catch {
        try execution.send(signal: .kill)
        throw error
      }
      try FileManager.default.removeItem(atPath: file)
    }
  }

  private static let program = """
    import os, socket, sys, threading
    target, file = int(sys.argv[1]), sys.argv[2]

    def copy(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    listener = socket.create_server(("127.0.0.1", 0))
    with open(file + ".part", "w") as part:
        part.write(str(listener.getsockname()[1]))
    os.rename(file + ".part", file)
    while True:
        near, _ = listener.accept()
        far = socket.create_connection(("127.0.0.1", target))
        for pair in ((near, far), (far, near)):
            threading.Thread(target=copy, args=pair, daemon=True).start()
    """
}
