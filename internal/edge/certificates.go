package edge

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Certificates are the TLS certificates of one origin, as the metrics see them.
// Implementations are safe for concurrent use.
type Certificates interface {
	// Expiries tells each certificate in use, under a name that the operator
	// declared, and when it ends.
	Expiries(each func(name string, notAfter time.Time))
	// Counts tells how often a new certificate was taken, and how often one
	// that should have been could not.
	Counts() (good, bad uint64)
}

var (
	expiryDesc   = prometheus.NewDesc("homeward_certificate_expiry_timestamp_seconds", "When the certificate served for a name ends.", []string{"name"}, nil)
	reloadDesc   = prometheus.NewDesc("homeward_certificate_reload_total", "Changes of the certificate files that were taken, and looks at files that could not be.", []string{"result"}, nil)
	obtainedDesc = prometheus.NewDesc("homeward_certificate_obtain_total", "Certificates got from the authority, and attempts that failed.", []string{"result"}, nil)
)

// certificateCollector reads what those who keep the certificates count.
type certificateCollector struct{ files, obtained Certificates } // nil for none

// Describe implements prometheus.Collector.
func (c *certificateCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- expiryDesc
	ch <- reloadDesc
	ch <- obtainedDesc
}

// Collect implements prometheus.Collector. A name that is both in the files and
// obtained is told once, as what is served: the obtained certificate.
func (c *certificateCollector) Collect(ch chan<- prometheus.Metric) {
	told := map[string]bool{}
	expiry := func(name string, notAfter time.Time) {
		name = strings.ToValidUTF8(name, "\uFFFD") // a label must be; the name of a file need not
		if !told[name] {
			told[name] = true
			ch <- prometheus.MustNewConstMetric(expiryDesc, prometheus.GaugeValue, float64(notAfter.Unix()), name)
		}
	}
	count := func(d *prometheus.Desc, from Certificates, good, bad string) {
		taken, failed := from.Counts()
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(taken), good)
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(failed), bad)
	}
	if c.obtained != nil {
		c.obtained.Expiries(expiry)
		count(obtainedDesc, c.obtained, "obtained", "failed")
	}
	if c.files != nil {
		c.files.Expiries(expiry)
		count(reloadDesc, c.files, "taken", "refused")
	}
}
