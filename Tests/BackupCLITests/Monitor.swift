import FoundationEssentials
import Subprocess
import SystemPackage
import TestSupport

/// A monitor of runs that notes what it is told, for the length of a body.
struct Monitor: Sendable {
  /// What it was told: the path, then the text.
  struct Request: Decodable, Sendable, Equatable {
    let path: String
    let text: String
  }

  /// Where it answers.
  let port: Int
  private let directory: String

  /// All that it was told.
  var requests: [Request] {
    get throws {
      try String(contentsOfFile: directory + "/requests", encoding: .utf8).split(separator: "\n")
        .map { try JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
    }
  }

  /// - Parameters:
  ///   - directory: Its own, with `certificate.pem` where it speaks TLS.
  ///   - statuses: What it answers, one after the other; the last one from then on. 0 is no answer, 1 one
  ///     that is not HTTP; a first 2 is a host that takes no connections, and refuses none.
  static func with(
    in directory: String, statuses: [Int] = [200], tls: Bool = false,
    _ body: @Sendable @escaping (Monitor) async throws -> Void
  ) async throws {
    try Data().write(to: URL(filePath: directory + "/requests"))
    let script = directory + "/monitor.py"
    try Data(program.utf8).write(to: URL(filePath: script))
    _ = try await Subprocess.run(
      .name("python3"),
      arguments: Arguments(
        [script, directory, tls ? "tls" : "plain"] + statuses.map { "\($0)" }),
      input: .none, output: .discarded,
      error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
    ) { execution in
      do {
        try await eventually("the monitor listens") {
          FileManager.default.fileExists(atPath: directory + "/port")
        }
        let port = try String(contentsOfFile: directory + "/port", encoding: .utf8)
        try await body(Monitor(port: Int(port) ?? 0, directory: directory))
        try execution.send(signal: .kill)
      } catch {
        try execution.send(signal: .kill)
        throw error
      }
    }
  }

  private static let program = """
    import http.server, json, os, socket, ssl, sys, time
    directory, mode, *statuses = sys.argv[1:]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            with open(directory + "/requests", "a") as file:
                file.write(json.dumps({"path": self.path, "text": text}) + "\\n")
            while statuses[0] == "0":
                time.sleep(1)
            if statuses[0] == "1":
                self.wfile.write(b"SSH-2.0-x\\r\\n")
                return
            self.send_response(int(statuses[0]))
            if len(statuses) > 1:
                statuses.pop(0)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if mode == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory + "/certificate.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    if statuses[0] == "2":
        server.socket.listen(0)
        waiting = socket.create_connection(server.server_address)
    with open(directory + "/port.part", "w") as file:
        file.write(str(server.server_port))
    os.rename(directory + "/port.part", directory + "/port")
    while statuses[0] == "2":
        time.sleep(1)
    server.serve_forever()
    """
}
