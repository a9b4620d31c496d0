package demo_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/explain"
	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
)

// promise is one command of the tour and what is written beside it.
type promise struct{ title, outcome, cell, command string }

var stopForm = regexp.MustCompile(`^  # (.*?)  +(\S+) -> (\S+)$`)

// promises are the commands of the tour that call this tool.
func (w *world) promises(tool string) []promise {
	w.t.Helper()
	var all []promise
	for i, line := range w.tour {
		if m := stopForm.FindStringSubmatch(line); m != nil {
			if command := strings.TrimSpace(w.tour[i+1]); strings.HasPrefix(command, tool+" ") {
				all = append(all, promise{m[1], m[2], m[3], command})
			}
		}
	}
	if len(all) == 0 {
		w.t.Fatalf("the tour does not call %s", tool)
	}
	return all
}

// outOfTime is the exit code of curl when the time that it was given is over.
const outOfTime = 28

// shell runs a command as a reader would, but where that gives up after a second,
// it waits for longer: a busy machine may take so long for what is promised.
func shell(t *testing.T, command string) string {
	t.Helper()
	command = strings.Replace(command, " -m 1 ", " -m 5 ", 1)
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == outOfTime && strings.Contains(command, " -m ") {
		err = nil
	}
	if err != nil {
		t.Fatalf("%s: %v (test.sh installs curl)", command, err)
	}
	return string(out)
}

// kept reports whether the answer is the one that was promised.
func (p *promise) kept(answer string) bool {
	switch p.cell {
	case "refused":
		return strings.Contains(strings.ToLower(answer), "\nhomeward-error: "+p.outcome+"\r\n")
	case "edge":
		return strings.Contains(strings.ToLower(answer), "\naccess-control-allow-origin: https://app.homeward.test\r\n")
	}
	switch head, _, _ := strings.Cut(answer, "\r\n"); {
	case strings.HasPrefix(head, "HTTP/1.1 101 "): // a WebSocket has opened
		return strings.Contains(answer, "\r\nReport-Cell: "+p.cell+"\r\n")
	case strings.HasPrefix(head, "id: "): // events
		return strings.Count(answer, `"cell":"`+p.cell+`"`) == 3
	}
	return slices.ContainsFunc(strings.Split(answer, "\n"), func(line string) bool {
		var r testcell.Report
		return json.Unmarshal([]byte(line), &r) == nil && r.Cell == p.cell
	})
}

func TestEveryCommandShowsWhatItPromises(t *testing.T) {
	w := start(t, free())
	all := w.promises("curl")
	shown := map[string]bool{}
	var live []string
	var answers string
	for _, p := range all {
		shown[p.outcome] = true
		answer := shell(t, p.command)
		answers += answer
		if !p.kept(answer) {
			t.Errorf("%s: promised %s -> %s, got\n%s", p.title, p.outcome, p.cell, answer)
		}
		line := w.line()
		if !strings.Contains(line, "  "+p.outcome+" -> "+p.cell+" ") {
			t.Errorf("%s: promised %s -> %s, the live line is\n%s", p.title, p.outcome, p.cell, line)
		}
		live = append(live, line)
	}
	for _, want := range []string{"HTTP/1.1 103 ", "Link: ", "Report-SHA256: ", "data: ", "Sec-WebSocket-Accept: "} {
		if !strings.Contains(answers, want) {
			t.Errorf("no answer holds %q", want)
		}
	}
	for _, o := range []route.Outcome{route.Home, route.Legacy, route.Anonymous, route.UnknownCell, route.Malformed, route.Conflict, route.Misrouted, route.UnknownHost} {
		if !shown[o.String()] {
			t.Errorf("the tour does not show %v", o)
		}
	}
	for _, rule := range []string{"private-app", "homeward", "gitlab-routable", "jwt", "refresh", "oauth-access", "api-key", "session"} {
		if !strings.Contains(strings.Join(live, "\n"), " "+rule+" in ") {
			t.Errorf("the tour does not show the rule %s", rule)
		}
	}
	w.finish()
	for line := range w.lines {
		live = append(live, line)
	}
	text := strings.Join(live, "\n")
	for _, secret := range w.secrets() {
		if strings.Contains(text, secret) {
			t.Errorf("a credential is shown in:\n%s", text)
		}
	}
	if n := strings.Count(strings.Join(w.tour, "\n")+text, "ready"); n != 1 {
		t.Errorf("the word ready stands there %d times", n)
	}
	if t.Failed() {
		t.Log("\n" + text)
	}
}

// secrets are the credentials of the tour, and whatever else is long and random.
func (w *world) secrets() []string {
	w.t.Helper()
	var found []string
	for _, line := range w.tour {
		for _, word := range regexp.MustCompile(`[A-Za-z0-9_.~-]{20,}`).FindAllString(line, -1) {
			if strings.ContainsAny(word, "0123456789") && !strings.Contains(word, ".homeward.test") && !strings.Contains(word, "homeward-demo-") {
				found = append(found, word)
			}
		}
	}
	if len(found) < 25 {
		w.t.Fatalf("only %d credentials found in the tour", len(found))
	}
	return found
}

func TestExplainTellsTheSame(t *testing.T) {
	w := start(t, free())
	file := regexp.MustCompile(`topology: +(\S+)`).FindStringSubmatch(strings.Join(w.tour, "\n"))
	top, err := config.LoadFile(file[1])
	if err != nil {
		t.Fatal(err)
	}
	table, err := route.Compile(top)
	if err != nil {
		t.Fatal(err)
	}
	state, err := proxy.NewState(table, upstream.Applied{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range w.promises("curl") {
		inputs, err := explain.ParseCommand(p.command)
		if err != nil || len(inputs) != 1 {
			t.Fatalf("%s: %d requests, %v", p.title, len(inputs), err)
		}
		r := explain.Explain(state, inputs[0])
		switch {
		case p.cell == "edge" && r.Action == explain.Send, p.cell == "refused" && (r.Action == explain.Send || r.Outcome != p.outcome),
			p.cell != "edge" && p.cell != "refused" && (r.Send != p.cell || r.Outcome != p.outcome):
			t.Errorf("%s: promised %s -> %s, explain says %s, %s, cell %q", p.title, p.outcome, p.cell, r.Action, r.Outcome, r.Send)
		}
	}
}

func TestAdminPortTells(t *testing.T) {
	w := start(t, free())
	shell(t, "curl -s http://"+w.address("http")+"/a")
	w.line()
	base := "http://" + w.address("admin")
	for path, want := range map[string]string{"/healthz": "ok", "/decisions": "anonymous", "/metrics": "homeward_decisions_total{"} {
		if got := shell(t, "curl -s "+base+path); !strings.Contains(got, want) {
			t.Errorf("%s: %q", path, got)
		}
	}
	if got := shell(t, "curl -s -H 'Host: evil.test' "+base+"/decisions"); strings.Contains(got, "anonymous") {
		t.Errorf("the admin port answers any name: %s", got)
	}
}

func TestColorIsAskedFor(t *testing.T) {
	for _, colored := range []bool{true, false} {
		c := free()
		c.Colored = colored
		w := start(t, c)
		shell(t, strings.TrimSpace(w.promises("curl")[0].command))
		for what, text := range map[string]string{"tour": strings.Join(w.tour, "\n"), "live line": w.line()} {
			if strings.Contains(text, "\x1b[") != colored {
				t.Errorf("color %v: the %s is %q", colored, what, text)
			}
		}
	}
}
