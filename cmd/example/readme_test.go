package main_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/internal/await"
	"github.com/coatcheck/coatcheck/internal/child"
	"github.com/coatcheck/coatcheck/internal/needs"
	"github.com/coatcheck/coatcheck/internal/overlay"
	"github.com/coatcheck/coatcheck/internal/textfile"
)

const root = "../.."

// TestReadme compiles the README's program, runs it, and types the README's
// sessions.
func TestReadme(t *testing.T) {
	t.Parallel()
	text := page(t, "README.md")
	programs, sessions := textfile.Blocks(text, "go"), textfile.Blocks(text, "console")
	programs = slices.DeleteFunc(programs, func(code string) bool { return !strings.HasPrefix(code, "package main\n") }) // others are quoted
	if len(programs) != 1 || len(sessions) != 2 {
		t.Fatalf("%d programs and %d sessions, want 1 and 2", len(programs), len(sessions))
	}
	t.Run("the program", func(t *testing.T) {
		t.Parallel()
		if n := strings.Count(programs[0], "\n"); n > 40 {
			t.Errorf("it has %d lines, which is more than 40", n)
		}
		addr := startProgram(t, programs[0], "127.0.0.1:8080")
		replay(t, strings.ReplaceAll(sessions[0], "127.0.0.1:8080", addr))
	})
	t.Run("the example", func(t *testing.T) {
		t.Parallel()
		replay(t, strings.ReplaceAll(sessions[1], "http://127.0.0.1:9000", serve(t, nil)))
	})
}

func page(t *testing.T, file string) string {
	t.Helper()
	return textfile.Read(t, filepath.Join(root, file))
}

// startProgram builds a program as if it were a command of this module, and
// runs it at a free address instead of the one it has.
func startProgram(t *testing.T, source, addr string) string {
	t.Helper()
	if !strings.Contains(source, `"`+addr+`"`) {
		t.Fatalf("it does not listen at %s", addr)
	}
	for range 10 { // somebody else may take the port first
		free := freeAddr(t)
		binary := buildProgram(t, strings.Replace(source, addr, free, 1))
		p := child.Run(t, exec.Command(binary))
		if listens(t, free, p.Exited) {
			return free
		}
		if !strings.Contains(p.Log.String(), "in use") {
			t.Fatalf("it ended:\n%s", p.Log)
		}
	}
	t.Fatal("no free port")
	return ""
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func buildProgram(t *testing.T, source string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "program.exe") // a name that runs on every system
	if err := overlay.Compile(root, "readme/main.go", source, binary, "go", "build", "-buildvcs=false"); err != nil {
		t.Fatal(err)
	}
	return binary
}

// listens waits until the program can be reached, or has ended.
func listens(t *testing.T, addr string, exited <-chan struct{}) (ok bool) {
	t.Helper()
	await.Until(t, addr+" answers", func() bool {
		select {
		case <-exited:
			return true
		default:
		}
		resp, err := http.Get("http://" + addr + "/nowhere")
		if err == nil {
			resp.Body.Close()
		}
		ok = err == nil
		return ok
	})
	return ok
}

// replay types what stands after each "$ " and compares what comes with what
// follows it. A name in angle brackets stands for any value when it is first
// seen, and for that one afterwards, in what is typed too; two names never have
// one value.
func replay(t *testing.T, transcript string) {
	t.Helper()
	for _, program := range []string{"sh", "curl"} {
		needs.Program(t, "COATCHECK_REQUIRE_MEMCACHED", program) // as set in CI, where nothing is skipped
	}
	dir, values := t.TempDir(), make(map[string]string)
	for step := range strings.SplitSeq(strings.TrimPrefix("\n"+transcript, "\n$ "), "\n$ ") {
		command, want, _ := strings.Cut(step, "\n")
		cmd := exec.Command("sh", "-c", placeholder.ReplaceAllStringFunc(command, func(name string) string {
			if values[name] == "" {
				t.Fatalf("%s: nobody knows %s yet", command, name)
			}
			return values[name]
		}))
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "no_proxy=127.0.0.1")
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		if err != nil || !matches(strings.TrimSpace(want), strings.TrimSpace(string(out)), values) {
			t.Fatalf("$ %s\n%s(%v) want:\n%s\nwhere %v", command, out, err, want, values)
		}
	}
}

var placeholder = regexp.MustCompile(`<[A-Za-z][A-Za-z0-9]*>`)

// matches compares, and adds to values what placeholders turn out to stand for.
func matches(want, got string, values map[string]string) bool {
	var pattern strings.Builder
	var names []string
	end := 0
	for _, at := range placeholder.FindAllStringIndex(want, -1) {
		pattern.WriteString(regexp.QuoteMeta(want[end:at[0]]) + `([^\s"<>]+)`)
		names, end = append(names, want[at[0]:at[1]]), at[1]
	}
	pattern.WriteString(regexp.QuoteMeta(want[end:]))
	found := regexp.MustCompile(`^` + pattern.String() + `$`).FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		for other, value := range values {
			if (other == name) != (value == found[i+1]) {
				return false
			}
		}
		values[name] = found[i+1]
	}
	return true
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		want, got string
		ok        bool
	}{
		"the text":                   {"visits: 1", "visits: 1", true},
		"another text":               {"visits: 1", "visits: 2", false},
		"more text":                  {"visits: 1", "visits: 10", false},
		"a new name":                 {`{"a":"<new>"}`, `{"a":"x-1"}`, true},
		"a new name without a value": {"<new>.", ".", false},
		"more than a value":          {"<new>", "two words", false},
		"a known name":               {"<old>", "known", true},
		"a known name's new value":   {"<old>", "other", false},
		"a new name's known value":   {"<new>", "known", false},
		"one name, two values":       {"<new> <new>", "a b", false},
		"two names, one value":       {"<new> <newer>", "a a", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := matches(tt.want, tt.got, map[string]string{"<old>": "known"}); got != tt.ok {
				t.Errorf("matches(%q, %q) is %v", tt.want, tt.got, got)
			}
		})
	}
}
