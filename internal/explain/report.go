package explain

import (
	"encoding/json"
	"io"
)

// Version is the version of the JSON that Report makes. Fields are added
// without changing it; none is renamed or changes its meaning.
const Version = 1

// Report tells why one request would go where. It holds no value of the
// request: credentials are fingerprints, other values are "…".
type Report struct {
	From    string  `json:"from"`    // where the request was read: curl, entry 3, request ID
	Request Request `json:"request"` // as far as it may be shown
	Host    Host    `json:"host"`

	// Action is what the edge does: send, refuse, or answer (a preflight or a
	// health probe, which no cell is asked about).
	Action string `json:"action"`
	Why    string `json:"why"` // one sentence

	Outcome string `json:"outcome,omitempty"` // home, legacy, anonymous, malformed, …; "" when nothing was decided
	Reason  string `json:"reason,omitempty"`  // stable word for the step that settled it: credential, override, …
	Mode    string `json:"mode"`              // observe or route

	Cell  string `json:"cell,omitempty"`    // that the decision names
	Send  string `json:"sent_to,omitempty"` // cell that the request is sent to
	Held  string `json:"held,omitempty"`    // why it is not sent to Cell: observe or share
	Share string `json:"share,omitempty"`   // percent of Cell, when it is not 100
	Lane  string `json:"lane,omitempty"`
	Path  string `json:"path_rule,omitempty"` // that placed a request without a credential

	Credential *Credential  `json:"credential,omitempty"` // that settled it
	Seen       []Credential `json:"seen,omitempty"`       // all, each read alone
	Answer     *Answer      `json:"answer,omitempty"`     // the edge's own
	Would      *Answer      `json:"would_answer,omitempty"`
	Notes      []string     `json:"notes,omitempty"`
}

// Request is a request as it may be shown.
type Request struct {
	Method string `json:"method"`
	Scheme string `json:"scheme,omitempty"`
	Target string `json:"target"` // path in normal form, names of the query's parameters
}

// Host is what the Host header is to the topology.
type Host struct {
	Name string `json:"name"` // "…" when it does not look like a host name
	Kind string `json:"kind"` // facade, cell or unknown
	Cell string `json:"cell,omitempty"`
}

// Credential is one credential, told without showing it.
type Credential struct {
	Place       string `json:"place"`       // as in the topology: bearer, query hapikey
	Where       string `json:"where"`       // for people: bearer in Authorization
	Fingerprint string `json:"fingerprint"` // 16 hex digits
	Rule        string `json:"rule,omitempty"`
	Format      string `json:"format,omitempty"`
	Outcome     string `json:"outcome"`           // of a request with this credential alone
	Names       string `json:"names,omitempty"`   // cell that it names itself
	Account     string `json:"account,omitempty"` // decimal
	Moved       string `json:"override,omitempty"`
	Epoch       uint64 `json:"epoch,omitempty"`
	Ignored     bool   `json:"ignored,omitempty"` // a cookie that does not count
	Says        string `json:"says"`              // a clause for people
}

// Answer is an answer of the edge's own.
type Answer struct {
	Status  int             `json:"status"`
	Kind    string          `json:"kind,omitempty"` // of a problem
	Headers []Header        `json:"headers"`
	Body    json.RawMessage `json:"body,omitempty"`
}

// Header is one header line.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// The actions.
const (
	Send   = "send"
	Refuse = "refuse"
	Own    = "answer"
)

// hidden stands for what is not shown.
const hidden = "…"

// WriteJSON writes reports as one JSON document: version and reports.
func WriteJSON(w io.Writer, reports []Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Version int      `json:"version"`
		Reports []Report `json:"reports"`
	}{Version, reports})
}
