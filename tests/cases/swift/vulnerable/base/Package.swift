// swift-tools-version:5.9
import PackageDescription
let package = Package(
    name: "App",
    dependencies: [
        .package(url: "https://git.example/owner/pebblemap", from: "1.0.0"),
    ],
    targets: [.target(name: "App")]
)
