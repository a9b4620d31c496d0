package topology

import (
	"reflect"
	"time"

	"github.com/homeward/homeward/cell"
)

// DefaultLanePriority is the priority of the lane default where it is not
// declared: the middle, so that other lanes can be put before and behind it.
const DefaultLanePriority = 50

// WithDefaults is a deep copy of the topology in which everything that was left
// out has its default. The lane default is appended if it is not declared. Doing
// it twice changes nothing more.
func (t *Topology) WithDefaults() *Topology {
	d := deepCopy(reflect.ValueOf(*t)).Interface().(Topology)
	fill(&d.Mode, Route)
	fill(&d.HealthPath, "/.homeward/healthz")
	for i := range d.Cells {
		c := &d.Cells[i]
		fill(&c.State, string(cell.Open))
		if c.Share == nil {
			all := 100.0
			c.Share = &all
		}
		if h := c.Health; h != nil {
			fill(&h.Interval, Duration(10*time.Second))
			fill(&h.Timeout, Duration(2*time.Second))
			fill(&h.Healthy, 2)
			fill(&h.Unhealthy, 3)
		}
	}
	for i := range d.Bodies {
		b := &d.Bodies[i]
		if len(b.Methods) == 0 {
			b.Methods = defaultPeekMethods()
		}
		fill(&b.Limit, 16<<10)
		fill(&b.Oversize, Refuse)
		fill(&b.Encoded, Refuse)
		fill(&b.Repeated, Refuse)
	}
	for i := range d.Shadows {
		h := &d.Shadows[i]
		fill(&h.Concurrent, 16)
		fill(&h.Timeout, Duration(10*time.Second))
		fill(&h.Body, 1<<20)
	}
	d.declareDefaultLane()
	if c := d.CORS; c != nil {
		if len(c.Methods) == 0 {
			c.Methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
		}
		fill(&c.MaxAge, Duration(2*time.Hour))
	}
	d.Timeouts.fill()
	d.Limits.fill()
	return &d
}

func defaultPeekMethods() []string { return []string{"POST"} }

func (t *Topology) declareDefaultLane() {
	for i := range t.Lanes {
		if t.Lanes[i].Name == DefaultLane {
			return
		}
	}
	t.Lanes = append(t.Lanes, Lane{Name: DefaultLane, Priority: DefaultLanePriority})
}

func (t *Timeouts) fill() {
	fill(&t.Header, Duration(10*time.Second))
	fill(&t.Idle, Duration(75*time.Second))
	fill(&t.Body, Duration(30*time.Second))
	fill(&t.Write, Duration(30*time.Second))
	fill(&t.Connect, Duration(3*time.Second))
	fill(&t.PoolWait, Duration(3*time.Second))
	fill(&t.ResponseHeader, Duration(60*time.Second))
	fill(&t.ResponseBody, Duration(5*time.Minute))
	fill(&t.Stream, Duration(time.Hour))
	fill(&t.HalfClosed, Duration(time.Second))
	fill(&t.UpstreamIdle, Duration(55*time.Second))
	fill(&t.Drain, Duration(30*time.Second))
}

func (l *Limits) fill() {
	fill(&l.Head, 32<<10)
	fill(&l.Headers, 100)
	fill(&l.Connections, 20000)
	fill(&l.UpstreamIdle, 256)
	fill(&l.UpstreamConnections, 20000)
}

// fill sets what still has its zero value.
func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// deepCopy copies plain data: structs, pointers, slices, maps and scalars.
func deepCopy(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			c.Field(i).Set(deepCopy(v.Field(i)))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(deepCopy(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				c.Index(i).Set(deepCopy(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			c.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for it := v.MapRange(); it.Next(); {
				c.SetMapIndex(it.Key(), deepCopy(it.Value()))
			}
		}
	default:
		c.Set(v)
	}
	return c
}
