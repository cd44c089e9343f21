//go:build amd64 || arm64

package probe

// feature is a set of instructions that a CPU may have.
type feature struct {
	name string
	has  bool
}

// named lists what is there.
func named(all ...feature) []string {
	list := []string{}
	for _, f := range all {
		if f.has {
			list = append(list, f.name)
		}
	}
	return list
}
