package edge

import (
	"net/http"
	"net/http/pprof"
	"strconv"

	"github.com/homeward/homeward/internal/explain"
)

// Admin is the handler of the admin port: /healthz, /readyz, /metrics,
// /decisions?n=20, /shadows?n=20 and /debug/pprof/. It asks for no token: the caller guards it.
func (e *Edge) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if e.draining.Load() {
			plain(w, http.StatusServiceUnavailable, "draining")
			return
		}
		plain(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", e.metrics.Handler())
	mux.HandleFunc("GET /decisions", e.decisions)
	mux.HandleFunc("GET /shadows", e.shadows)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// howMany reads n, which is 20 unless the query says another number. It answers
// what is none.
func howMany(w http.ResponseWriter, r *http.Request, what string, most int) (n int, ok bool) {
	n = 20
	if text := r.URL.Query().Get("n"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			plain(w, http.StatusBadRequest, "n is how many "+what+" to show, from 1 to "+strconv.Itoa(most))
			return 0, false
		}
	}
	return n, true
}

// decisions explains the last requests, the latest first: text for people, or
// JSON when format=json asks for it. What was refused before a decision, for its
// framing, is not among them.
func (e *Edge) decisions(w http.ResponseWriter, r *http.Request) {
	n, ok := howMany(w, r, "decisions", recentDecisions)
	if !ok {
		return
	}
	var reports []explain.Report
	for _, rec := range e.recent.Last(recentDecisions) {
		if rec.Decided && len(reports) < n {
			reports = append(reports, explain.FromDecision(rec.Table, explain.Head{
				From: "request " + rec.RequestID, Method: rec.Method, Scheme: rec.Scheme(), Host: rec.Host, Target: rec.Path,
			}, &rec.Decision))
		}
	}
	if r.URL.Query().Get("format") == "json" {
		w.Header().Set("Content-Type", "application/json")
		_ = explain.WriteJSON(w, reports)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_ = explain.WriteText(w, reports, false)
}
