// Package registrytest starts real registries for tests.
package registrytest

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Debian starts Debian's docker-registry, which is CNCF's distribution, with
// further settings in YAML, and returns its host and port. The test is skipped
// where it is not installed, or fails where ISLAND_REQUIRE_TOOLS=1 says that all
// tools are there.
func Debian(t testing.TB, settings string) string {
	t.Helper()
	if _, err := exec.LookPath("docker-registry"); err != nil {
		if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
			t.Fatal("docker-registry is not in PATH")
		}
		t.Skip("docker-registry is not in PATH")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	dir := t.TempDir()
	settings = fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: '%s'}}\n"+
		"http: {addr: '%s'}\n%s", dir, address, settings)
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("docker-registry", "serve", file)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	for deadline := time.Now().Add(5 * time.Minute); ; {
		response, err := http.Get("http://" + address + "/v2/")
		if err == nil {
			_ = response.Body.Close()
			return address
		}
		if time.Now().After(deadline) {
			t.Fatal("docker-registry does not answer")
		}
	}
}
