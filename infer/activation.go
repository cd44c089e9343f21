package infer

import (
	"math"

	"hotcell/infer/kernel"
)

// activation is how an FFN turns its products into what the down matrix multiplies; g and u are a neuron's gate and up products. Families
// without a gate matrix have u only.
type activation uint8

const (
	_               activation = iota
	siluGate                   // silu(g) * u
	reluGate                   // relu(g) * u
	reluBoth                   // relu(g) * relu(u): dReLU, TurboSparse (arXiv 2406.05955)
	reluSquaredGate            // relu(g)^2 * u
	geluGate                   // gelu(g) * u
	clampedGate                // gpt-oss: g sigmoid(1.702 g) (u + 1), with g at most 7 and u within 7
	gelu                       // gelu(u), no gate
)

// gated tells whether the FFN has a gate matrix.
func (a activation) gated() bool { return a != gelu }

// sparse tells whether most neurons are exactly zero for a token.
func (a activation) sparse() bool {
	return a == reluGate || a == reluBoth || a == reluSquaredGate
}

// apply computes one neuron. GELU is the tanh form, which all engines of these families use.
func (a activation) apply(g, u float32) float32 {
	switch a {
	case siluGate:
		return g * logistic(g) * u
	case reluGate:
		return max(g, 0) * u
	case reluBoth:
		return max(g, 0) * max(u, 0)
	case reluSquaredGate:
		g = max(g, 0)
		return g * g * u
	case geluGate:
		return geluTanh(g) * u
	case clampedGate:
		g, u = min(g, 7), max(-7, min(u, 7))
		return g * logistic(1.702*g) * (u + 1)
	default:
		return geluTanh(u)
	}
}

// vector replaces u by the activations of neurons with gate products g, which it may change too.
func (a activation) vector(g, u []float32) {
	switch a {
	case siluGate:
		kernel.SiluMul(u, g, u)
	case geluGate:
		kernel.GeluMul(u, g, u)
	case gelu:
		for len(u) > 0 {
			n := min(len(u), len(ones))
			kernel.GeluMul(u[:n], u, ones[:])
			u = u[n:]
		}
	case clampedGate: // as silu of 1.702 g
		const steep = 1.702
		for i, v := range g {
			g[i] = steep * min(v, 7)
			u[i] = (max(-7, min(u[i], 7)) + 1) / steep
		}
		kernel.SiluMul(u, g, u)
	case reluGate:
		for i, v := range g {
			u[i] *= max(v, 0)
		}
	case reluBoth:
		for i, v := range g {
			u[i] = max(v, 0) * max(u[i], 0)
		}
	default:
		for i, v := range g {
			u[i] = a.apply(v, u[i])
		}
	}
}

func logistic(x float32) float32 { return 1 / (1 + float32(math.Exp(-float64(x)))) }

func geluTanh(x float32) float32 {
	const root = 0.7978845608028654 // sqrt(2/pi)
	v := float64(x)
	return float32(0.5 * v * (1 + math.Tanh(root*(v+0.044715*v*v*v))))
}
