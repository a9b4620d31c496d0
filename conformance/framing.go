package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Framing is framing.json: bytes on a connection, and what must be read of them.
type Framing struct {
	Requests  []RequestStream  `json:"requests"`
	Responses []ResponseStream `json:"responses"`
}

// RequestStream is what a client sends on one connection. At most one of Refuse
// and Cut is set.
type RequestStream struct {
	Name   string    `json:"name"`
	Source string    `json:"source"`
	Send   Wire      `json:"send"`
	Read   []Message `json:"read"`   // the requests that are read whole, in order
	Refuse int       `json:"refuse"` // the status with which what follows them is refused; 0 when nothing is
	In     string    `json:"in"`     // "body" when the head of what is refused was well-formed
	Cut    string    `json:"cut"`    // the stream ends within a "head" or a "body"
	Closes bool      `json:"closes"` // the connection ends after the last request; the rest is not read
}

// ResponseStream is what a server sends on one connection in answer to one
// request. At most one of Refuse and Cut is set; Answer is missing with either.
type ResponseStream struct {
	Name     string    `json:"name"`
	Source   string    `json:"source"`
	Method   string    `json:"method"` // of the request; "" for GET
	Send     Wire      `json:"send"`
	Interim  []Interim `json:"interim"` // the interim answers before it
	Answer   *Message  `json:"answer"`
	Reusable bool      `json:"reusable"` // another answer may follow on the connection
	Refuse   string    `json:"refuse"`   // "head" or "body"
	Cut      string    `json:"cut"`      // the stream ends within the "body"
}

// Message is a request or an answer as it must be read.
type Message struct {
	Method  Wire      `json:"method"`
	Target  Wire      `json:"target"`
	Status  int       `json:"status"`
	Reason  Wire      `json:"reason"`
	Version string    `json:"version"` // "1.0"; "" for 1.1
	Fields  [][2]Wire `json:"fields"`  // in their order and case
	Body    Wire      `json:"body"`
	Trailer [][2]Wire `json:"trailer"`
}

// Interim is the status and the reason of an interim answer, a list of two in JSON.
type Interim struct {
	Status int
	Reason Wire
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Interim) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&i.Status, &i.Reason})
}

// Wire is bytes, which JSON has as a text of which each character is a byte, as
// {"repeat": TEXT, "times": N}, or as a list of such parts.
type Wire string

// UnmarshalJSON implements json.Unmarshaler.
func (w *Wire) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '[':
		var parts []Wire
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
		for _, p := range parts {
			*w += p
		}
		return nil
	case '{':
		var r struct {
			Repeat Wire `json:"repeat"`
			Times  int  `json:"times"`
		}
		err := json.Unmarshal(data, &r)
		*w = Wire(strings.Repeat(string(r.Repeat), r.Times))
		return err
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return fmt.Errorf("%q is no byte", r)
		}
		b = append(b, byte(r))
	}
	*w = Wire(b)
	return nil
}

// ReadFraming returns framing.json.
func ReadFraming() (Framing, error) {
	var f Framing
	err := Read("framing.json", &f)
	return f, err
}
