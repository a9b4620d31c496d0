package report

import (
	"encoding/json"
	"math"
)

// comparison is one line of the result for programs.
type comparison struct {
	Workload  string  `json:"workload"`
	Peer      string  `json:"peer"`
	CPUOurs   float64 `json:"cpu_us_ours"` // median
	CPUOfPeer float64 `json:"cpu_us_peer"` // median
	Ratio     float64 `json:"ratio"`       // median of the rounds' ratios
	Rounds    int     `json:"rounds"`
}

// JSON is the cost of a request beside that of each peer: an array for
// programs.
func JSON(runs []*Run) ([]byte, error) {
	all := []comparison{}
	for _, r := range runs {
		ours := r.values(r.Ours, CPU)
		for _, peer := range r.Proxies {
			theirs := r.values(peer, CPU)
			ratios := Ratios(ours, theirs)
			if peer == r.Ours || len(ratios) == 0 {
				continue
			}
			all = append(all, comparison{r.Workload, peer, rounded(Of(ours).Median), rounded(Of(theirs).Median), rounded(Of(ratios).Median), len(ratios)})
		}
	}
	text, err := json.MarshalIndent(all, "", "  ")
	return append(text, '\n'), err
}

// rounded keeps three digits after the point.
func rounded(v float64) float64 { return math.Round(v*1000) / 1000 }
