package credential

// Reason says which check of a format settled its claim. The zero Reason says
// that there is nothing to explain.
type Reason uint8

// The reasons. Those up to RepeatedCell explain Malformed, NoCell explains
// Legacy, UnmappedID explains Foreign.
const (
	BadShape     Reason = iota + 1 // a literal or a field of fixed length is not where it should be
	BadCell                        // the part that names the cell is not a cell name
	BadAccount                     // the account is not a number of 64 bits in its one spelling
	BadLength                      // a part is longer or shorter than it must be
	BadCheck                       // the check characters belong to another text
	BadVersion                     // a version that this package does not know
	BadEncoding                    // a part is not base64url
	BadRouting                     // the routing text does not fit, or its cell id is not base 36
	BadPayload                     // the payload is not a JSON object
	TooDeep                        // the payload nests deeper than is looked into
	RepeatedCell                   // the cell is named more than once
	NoCell                         // the credential predates cells
	UnmappedID                     // the format's map does not have the cell's id
)

var reasonWords = [...]string{
	BadShape:     "it does not have the shape that its start promises",
	BadCell:      "its cell is not a cell name",
	BadAccount:   "its account is not a 64-bit number in canonical form",
	BadLength:    "it is too long or too short",
	BadCheck:     "its check characters do not match",
	BadVersion:   "its version is unknown",
	BadEncoding:  "its payload is not base64url",
	BadRouting:   "its routing text cannot be read",
	BadPayload:   "its payload is not a JSON object",
	TooDeep:      "its payload nests too deep",
	RepeatedCell: "it names its cell more than once",
	NoCell:       "it names no cell",
	UnmappedID:   "the map of cell ids does not have its cell's id",
}

// String is a short clause for people, such as "it names no cell"; "" for the
// zero Reason. It never repeats a part of a credential.
func (r Reason) String() string {
	if int(r) < len(reasonWords) {
		return reasonWords[r]
	}
	return "unknown reason"
}

func malformed(r Reason) Claim { return Claim{Verdict: Malformed, Reason: r} }

func legacy() Claim { return Claim{Verdict: Legacy, Reason: NoCell} }
