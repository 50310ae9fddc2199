package programs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module makes a module with one program, which says something, and enters it.
func module(t *testing.T, says string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "deep", "below")
	t.Setenv(Variable, "")
	for name, text := range map[string]string{
		"go.mod":           "module example.com/toy\n\ngo 1.26\n",
		"cmd/toy/main.go":  "package main\n\nimport _ \"embed\"\n\n//go:embed said.txt\nvar said string\n\nfunc main() { print(said) }\n",
		"cmd/toy/said.txt": says,
		"inner/inner.go":   "package inner\n",
	} {
		write(t, filepath.Join(folder, name), text)
	}
	t.Chdir(filepath.Join(folder, "inner"))
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A program is built where there is none, and again when its sources differ.
func TestPathBuilds(t *testing.T) {
	module(t, "one")
	for _, want := range []string{"one", "two"} {
		write(t, "../cmd/toy/said.txt", want)
		file, err := Path("toy", Here)
		if err != nil {
			t.Fatal(err)
		}
		if said, err := exec.Command(file).CombinedOutput(); err != nil || string(said) != want {
			t.Errorf("the program says %q (%v), expected %q", said, err, want)
		}
		if !filepath.IsAbs(file) || !strings.HasSuffix(file, filepath.Join("bin", "test", Here, "toy")) {
			t.Errorf("the program is at %s", file)
		}
	}
}

// What the compiler says reaches the tester.
func TestPathOfBrokenProgram(t *testing.T) {
	module(t, "one")
	write(t, "../cmd/toy/main.go", "package main\n\nfunc main() { nonsense() }\n")
	if file, err := Path("toy", Here); err == nil || file != "" || !strings.Contains(err.Error(), "undefined: nonsense") {
		t.Errorf("path %q, error %v", file, err)
	}
}

// What make has built is taken as it is, and what it has not is told.
func TestPathOfBuiltProgram(t *testing.T) {
	module(t, "one")
	folder := t.TempDir()
	t.Setenv(Variable, folder)
	if _, err := Path("toy", "linux-arm64"); err == nil || !strings.Contains(err.Error(), Variable) {
		t.Errorf("error %v, expected one that names %s", err, Variable)
	}
	want := filepath.Join(folder, "linux-arm64", "toy")
	write(t, want, "built before")
	if file, err := Path("toy", "linux-arm64"); err != nil || file != want {
		t.Errorf("path %q (%v), expected %s", file, err, want)
	}
}
