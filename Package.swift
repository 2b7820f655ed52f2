// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, exclude: fixtures ? ["Fixtures"] : [],
    swiftSettings: settings)
}

let package = Package(
  name: "raibid-backup",
  products: [.executable(name: "raibid-backup", targets: ["raibid-backup"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "raibid-backup", dependencies: ["BackupCLI"], swiftSettings: settings),
    library(
      "BackupCLI",
      [
        "Operations", "ArchiveStore", "RDBFormat", "Files", "RawJSON", "Workers", argumentParser,
      ]),
    library(
      "Operations",
      [
        "ArchiveStore", "Files", "Targets", "Monitoring", "RedisClient", "RDBFormat", "GzipMembers",
        "Workers", crypto,
      ]),
    library("ArchiveStore", ["Files", "RawJSON", "RDBFormat"]),
    library("Targets", ["RawJSON", crypto, subprocess, systemPackage]),
    library("Monitoring", ["RedisClient", nioCore, nioHTTP1, nioPosix, nioSSL]),
    library("RedisClient", [nioCore, nioPosix, nioTLS, nioSSL]),
    library("RDBFormat", ["CRC64"]),
    library("CRC64", ["CFold"]),
    .target(name: "CFold"),
    library("GzipMembers", ["CFold", "CZlib", "Workers"]),
    library("Workers", ["CProcess"]),
    library("Files"),
    library("RawJSON"),
    .systemLibrary(name: "CProcess"),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
      name: "TestSupport", dependencies: [subprocess, systemPackage], path: "Tests/TestSupport",
      swiftSettings: settings),
    tests("ArchiveStoreTests", ["ArchiveStore", "Files", "RawJSON", "RDBFormat", "TestSupport"]),
    tests(
      "BackupCLITests",
      ["raibid-backup", "BackupCLI", "Operations", "TestSupport", subprocess, systemPackage],
      fixtures: true),
    tests("CRC64Tests", ["CRC64"]),
    tests("GzipMembersTests", ["GzipMembers", "Workers"]),
    tests(
      "OperationsTests",
      [
        "Operations", "ArchiveStore", "Files", "GzipMembers", "RDBFormat", "RedisClient", "Targets",
        "TestSupport", "Workers",
      ]),
    tests("MonitoringTests", ["Monitoring", nioHTTP1]),
    tests("RDBFormatTests", ["RDBFormat"], fixtures: true),
    tests(
      "RedisClientTests",
      ["RedisClient", "TestSupport", nioCore, nioPosix, subprocess, systemPackage],
      fixtures: true),
    tests("TargetsTests", ["Targets", "RawJSON"], fixtures: true),
    tests("KubernetesTargetsTests", ["Targets", crypto], fixtures: true),
    tests("WorkersTests", ["Workers"]),
  ]
)

// The parser of dumps by itself: scripts/test runs its tests on ten thousand damaged files with
// optimisation, scripts/fuzz builds it with a sanitizer that nothing else can have, scripts/bench measures its
// parts.
if let purpose = Context.environment["RAIBID_RDB_ONLY"] {
  var parts = ["CFold", "CRC64", "RDBFormat"]
  if purpose == "test" { parts += ["CRC64Tests", "RDBFormatTests"] }
  package.products = []
  package.dependencies = []
  package.targets = package.targets.filter { parts.contains($0.name) }
  for (name, path) in [("FuzzRDB", "Tests/Fuzz"), ("MeasureRDB", "Tests/Speed")]
  where purpose == path.split(separator: "/")[1].lowercased() {
    package.targets.append(
      .executableTarget(
        name: name, dependencies: ["RDBFormat"], path: path, swiftSettings: settings))
  }
}
