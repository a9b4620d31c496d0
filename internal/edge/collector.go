package edge

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/upstream"
)

var (
	connectionsDesc = prometheus.NewDesc("homeward_client_connections", "Client connections now.", nil, nil)
	rejectedDesc    = prometheus.NewDesc("homeward_client_connections_rejected_total", "Client connections closed because there were too many.", nil, nil)
	unannouncedDesc = prometheus.NewDesc("homeward_proxy_protocol_refused_total", "Connections of declared load balancers closed for what their PROXY header was.", []string{"header"}, nil)
	requestsDesc    = prometheus.NewDesc("homeward_requests_open", "Requests under way, by how long they are meant to last.", []string{"type"}, nil)
	loadedDesc      = prometheus.NewDesc("homeward_topology_loaded_timestamp_seconds", "When the topology in force was taken.", nil, nil)
	droppedDesc     = prometheus.NewDesc("homeward_access_log_dropped_total", "Access log lines lost to a slow or failing writer.", nil, nil)
	openedDesc      = prometheus.NewDesc("homeward_upstream_connections_opened_total", "Connections made to the gateways of a cell.", []string{"cell"}, nil)
	openDesc        = prometheus.NewDesc("homeward_upstream_connections", "Connections to the gateways of a cell now.", []string{"cell"}, nil)
	reusedDesc      = prometheus.NewDesc("homeward_upstream_connections_reused_total", "Requests that found an idle connection.", []string{"cell"}, nil)
	waitedDesc      = prometheus.NewDesc("homeward_upstream_waits_total", "Requests that found all connections to the gateways of a cell in use.", []string{"cell"}, nil)
	healthDesc      = prometheus.NewDesc("homeward_upstream_addresses", "Addresses of a gateway, by whether they are up, or tried last.", []string{"cell", "gateway", "state"}, nil)
	failedDesc      = prometheus.NewDesc("homeward_upstream_connect_failures_total", "Connections to the gateways of a cell that could not be made.", []string{"cell"}, nil)
)

// collector reads what the edge's parts count themselves.
type collector struct{ edge *Edge }

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{connectionsDesc, rejectedDesc, requestsDesc, unannouncedDesc, loadedDesc, droppedDesc, openedDesc, openDesc, reusedDesc, failedDesc, waitedDesc, healthDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(connectionsDesc, c.edge.server.Open())
	counter(rejectedDesc, c.edge.server.Rejected())
	c.edge.server.Introductions(func(header string, refused int64) { counter(unannouncedDesc, refused, header) })
	for _, t := range proxy.RequestTypes() {
		gauge(requestsDesc, c.edge.proxy.Open(t), t.String())
	}
	gauge(loadedDesc, c.edge.loadedAt.Load())
	if c.edge.access != nil {
		counter(droppedDesc, c.edge.access.Dropped())
	}
	c.edge.pools.Each(func(cell string, p *upstream.Stats) {
		counter(openedDesc, p.Opened(), cell)
		gauge(openDesc, p.Open(), cell)
		counter(reusedDesc, p.Reused(), cell)
		counter(failedDesc, p.Failed(), cell)
		counter(waitedDesc, p.Waited(), cell)
	})
	c.edge.pools.Health(func(cell, gateway string, up, down int) {
		gauge(healthDesc, int64(up), cell, gateway, "up")
		gauge(healthDesc, int64(down), cell, gateway, "down")
	})
}
