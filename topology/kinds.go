package topology

// The statuses that an operator may give to a kind of refusal.
const (
	minStatus = 400
	maxStatus = 599
)

// Kinds lists the kinds of answers that the edge makes itself, as they stand in
// Homeward-Error and under status. Only too-large has two statuses of its own,
// 413 for a body and 431 for a head; a status given to it stands for both.
func Kinds() []string {
	return []string{
		"malformed", "unknown-cell", "conflict", "unknown-host", "misrouted",
		"bad-framing", "too-large", "unsupported-encoding", "request-timeout", "not-supported",
		"quota", "overloaded", "cell-unavailable", "moving",
		"upstream-timeout", "upstream-reset",
	}
}
