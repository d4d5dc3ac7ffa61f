# Template for Homebrew; packaging/build.sh fills it in.
class Alwayson < Formula
  desc "Keeps contacts, calendars, tasks, notes and mail equal with a server"
  homepage "https://github.com/alwayson-sync/alwayson"
  url "https://github.com/alwayson-sync/alwayson/releases/download/v@VERSION@/alwayson-@VERSION@-darwin-arm64.tar.gz"
  version "@VERSION@"
  sha256 "@SHA256:alwayson-@VERSION@-darwin-arm64.tar.gz@"
  license "@LICENSE@"
  depends_on arch: :arm64

  def install
    bin.install "alwayson"
    pkgshare.install "alwayson.toml"
  end

  def caveats
    "Then: alwayson setup, and alwayson service install"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/alwayson version")
  end
end
