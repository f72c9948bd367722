package main_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// TestReadme compiles the README's program, runs it, and types the README's
// sessions.
func TestReadme(t *testing.T) {
	t.Parallel()
	text := page(t, "README.md")
	programs, sessions := blocks(text, "go"), blocks(text, "console")
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
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// blocks returns a page's code blocks of one language.
func blocks(text, language string) (found []string) {
	for _, part := range strings.Split(text, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		found = append(found, block)
	}
	return found
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
		log := newJournal()
		cmd := exec.Command(binary)
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		exited := make(chan struct{})
		go func() {
			defer close(exited)
			_ = cmd.Wait() // its stderr says why
		}()
		t.Cleanup(func() {
			_ = cmd.Process.Kill() // it may have ended
			<-exited
		})
		if listens(t, free, exited) {
			return free
		}
		if !strings.Contains(log.String(), "in use") {
			t.Fatalf("it ended:\n%s", log)
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

func buildProgram(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	module, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	overlay, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(module, "readme", "main.go"): write("main.go", source)},
	})
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "program")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-overlay", write("overlay.json", string(overlay)), "-o", binary, "./readme")
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return binary
}

// listens waits until the program can be reached, or has ended.
func listens(t *testing.T, addr string, exited <-chan struct{}) (ok bool) {
	t.Helper()
	eventually(t, addr+" answers", func() bool {
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
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("COATCHECK_REQUIRE_MEMCACHED") != "" { // as set in CI, where nothing is skipped
				t.Fatal(err)
			}
			t.Skip(err)
		}
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
