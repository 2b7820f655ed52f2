/// The shell scripts that run in a container, in POSIX sh with coreutils or busybox.
///
/// Paths are positional arguments, never part of a script. Each script ends its output with an end
/// mark, because a stream that was cut short can end with exit status 0.
struct PodScript {
  /// Exit statuses of the scripts; kubectl, the shell and the tools use others.
  enum Status {
    static let missing = 66
    static let notRegular = 65
    static let exists = 73
  }

  static let endMark = "end\n"

  var body: String

  /// The command to execute, with the arguments as `$1` and so on.
  func command(_ arguments: [String]) -> [String] {
    ["sh", "-c", Self.prelude + body + "\necho end", "sh"] + arguments
  }

  private static let prelude = """
    export LC_ALL=C
    umask 077
    state() { stat -c '%i %s %u %g %f %Y' "$1"; }
    parent() { d=${1%/*}; echo "${d:-/}"; }
    missing() {
      if [ -e "$1" ] || [ -L "$1" ]; then return 1; fi
      case $(stat "$1" 2>&1) in *'No such file or directory'*|*'Not a directory'*) return 0 ;; esac
      return 1
    }
    need() { if missing "$1"; then exit 66; fi; }
    regular() {
      need "$1"
      if [ -L "$1" ] || { [ -e "$1" ] && [ ! -f "$1" ]; }; then exit 65; fi
      if [ ! -r "$1" ]; then echo 'Permission denied' >&2; exit 1; fi
    }
    flush() { sync "$@" 2>/dev/null || sync || exit; }
    own() {
      set -- "$1" "$2" "$3" "$4" "$(stat -c %u "$1")" "$(stat -c %g "$1")"
      if [ "$2 $3" != "$5 $6" ]; then
        if [ "$(id -u)" = 0 ]; then chown "$2:$3" "$1" || exit
        else chown ":$3" "$1" 2>/dev/null; fi
      fi
      chmod "$4" "$1" || exit
    }

    """

  static let status = PodScript(
    body: """
      if ! missing "$1"; then state "$1" || exit; fi
      """)

  /// Waits for a line, and prints the status then: nothing has to start any more when it is asked for.
  static let statusWhenAsked = PodScript(
    body: """
      read -r line || exit
      if ! missing "$1"; then state "$1" || exit; fi
      """)

  /// Status and, where the container has it, the name of tar.
  static let statusAndTar = PodScript(
    body: """
      regular "$1"
      state "$1" || exit
      command -v tar
      """)

  /// `cp`, `exec` or `none`: how files of a directory can be read with what the container has; none too
  /// where the directory is on a read-only volume.
  static let transport = PodScript(
    body: """
      way=exec
      if command -v tar >/dev/null; then way=cp; fi
      for tool in cat head readlink stat; do
        if ! command -v "$tool" >/dev/null; then way=none; fi
      done
      directory=$(cd "$1" 2>/dev/null && pwd -P) || directory=$1
      longest=0 options=
      while read -r _ point _ flags _; do
        case ${directory%/}/ in
          "${point%/}"/*)
            if [ ${#point} -ge "$longest" ]; then longest=${#point} options=$flags; fi ;;
        esac
      done </proc/mounts
      case ,$options, in *,ro,*) way=none ;; esac
      echo "$way"
      """)

  static let list = PodScript(
    body: """
      need "$1"
      if [ ! -d "$1" ]; then exit 66; fi
      cd "$1" && [ -r . ] || { echo 'Permission denied' >&2; exit 1; }
      echo directory
      for f in .* *; do
        case $f in .|..) continue ;; esac
        if [ -e "$f" ] || [ -L "$f" ]; then printf '%s\\000' "$f"; fi
      done
      """)

  /// A link is followed: configuration that Kubernetes mounts consists of links.
  static let contents = PodScript(
    body: """
      need "$1"
      file=$(readlink -f "$1") || exit
      regular "$file"
      echo file
      head -c "$2" "$file" || exit
      """)

  /// The bytes on standard output, the status of the open file before and of the path after on
  /// standard error; no end mark, the byte count says whether all arrived.
  ///
  /// When standard input ends first, the reader is gone: `cat` would wait for it as long as the
  /// container lives. A line on it says that the reader has all of the size that it was told (`$2`): the
  /// command ends no earlier, because what is still under way then can be lost.
  static let read = PodScript(
    body: """
      regular "$1"
      exec 3<"$1" 4<&0 </dev/null || exit
      echo "raibid-before $(stat -L -c '%i %s %u %g %f %Y' /proc/self/fd/3)" >&2
      cat <&3 4<&- & cat=$!
      (read -r line <&4 || kill $cat) >/dev/null 2>&1 3<&- & watch=$!
      wait $cat; status=$?
      if [ $status = 0 ] && [ "$(stat -L -c %s /proc/self/fd/3)" = "$2" ]; then wait $watch; fi
      kill $watch 2>/dev/null; wait $watch 2>/dev/null
      if [ $status != 0 ]; then exit $status; fi
      echo "raibid-after $(state "$1" 2>/dev/null)" >&2
      exit 0
      """)

  /// Ends the tar of a `kubectl cp` that was given up: it would wait as long as the container lives.
  static let endCopy = PodScript(
    body: """
      for process in /proc/[0-9]*; do
        case $(tr '\\000' ' ' <"$process/cmdline") in
          "tar cf - $1 ") kill "${process#/proc/}" ;;
        esac
      done 2>/dev/null
      """)

  /// Prints `server` or `sentinel` for each process in the container that is one.
  static let findServers = PodScript(
    body: """
      for process in /proc/[0-9]*; do
        read -r name <"$process/comm" || continue
        case $name in
          redis-sentinel|valkey-sentinel) echo sentinel ;;
          redis-server|valkey-server)
            case $(tr '\\000' ' ' <"$process/cmdline") in
              *'[sentinel]'*|*--sentinel*) echo sentinel ;;
              *) echo server ;;
            esac ;;
        esac
      done 2>/dev/null
      """)

  static let write = PodScript(
    body: """
      if ! missing "$1"; then
        if [ -e "$1" ] || [ -L "$1" ]; then exit 73; fi
      fi
      set -C
      exec 3>"$1" || exit
      set +C
      echo created
      # kubectl does not end before its input is read.
      cat >&3 || { cat >/dev/null; exit 1; }
      exec 3>&-
      if [ -n "$2" ]; then own "$1" "$2" "$3" "$4"; fi
      flush "$1" "$(parent "$1")"
      state "$1" || exit
      """)

  static let sha256 = PodScript(
    body: """
      regular "$1"
      stat -c %s "$1" || exit
      if command -v sha256sum >/dev/null; then sha256sum <"$1" || exit
      elif command -v openssl >/dev/null; then openssl dgst -sha256 <"$1" || exit
      fi
      """)

  static let link = PodScript(
    body: """
      need "$1"
      if [ -e "$2" ] || [ -L "$2" ]; then exit 73; fi
      ln "$1" "$2" || exit
      flush "$(parent "$2")"
      """)

  /// The text is an argument: a stream of its own would take longer than all the rest.
  static let replace = PodScript(
    body: """
      rm -f "$1.new" || exit
      printf '%s' "$2" >"$1.new" || exit
      flush "$1.new"
      mv -f "$1.new" "$1" || exit
      flush "$(parent "$1")"
      """)

  static let rename = PodScript(
    body: """
      need "$1"
      if [ -d "$2" ]; then exit 73; fi
      if [ "$(stat -c %d "$1")" != "$(stat -c %d "$(parent "$2")")" ]; then
        echo 'not on the same file system' >&2
        exit 1
      fi
      mv -f "$1" "$2" || exit
      flush "$(parent "$2")" "$(parent "$1")"
      """)

  static let remove = PodScript(
    body: """
      if ! missing "$1"; then
        rm -f "$1" || exit
        flush "$(parent "$1")"
      fi
      """)

  static let makeDirectory = PodScript(
    body: """
      if [ -e "$1" ] || [ -L "$1" ]; then exit 73; fi
      mkdir -m 700 "$1" || exit
      if [ -n "$2" ]; then own "$1" "$2" "$3" "$4"; fi
      flush "$1" "$(parent "$1")"
      """)

  static let removeDirectory = PodScript(
    body: """
      if ! missing "$1"; then
        rmdir "$1" || exit
        flush "$(parent "$1")"
      fi
      """)

  static let freeSpace = PodScript(
    body: """
      need "$1"
      stat -f -c '%a %S' "$1" || exit
      """)
}
