package http2client

const (
	maxNames = 256 // names of fields that a connection remembers, each way
	maxName  = 64  // bytes of one of them
)

// spellings are names of fields in another spelling, by how they came. Those seen
// are kept, within bounds: the other side chooses them.
type spellings map[string]string

// of is a name as spell has it.
func (s spellings) of(name string, spell func(string) string) string {
	spelled, ok := s[name]
	if !ok {
		spelled = spell(name)
		if len(s) < maxNames && len(name) <= maxName {
			s[name] = spelled
		}
	}
	return spelled
}
