package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator writes expressions of the supported subset at random: each has the type asked for.
type generator struct {
	*rand.Rand
	vars map[string][]string // names in scope that macros bound, by type
	n    int
}

func (g *generator) oneOf(fs ...func() string) string { return fs[g.IntN(len(fs))]() }

func (g *generator) pick(ss ...string) string { return ss[g.IntN(len(ss))] }

// expr is an expression of a type, at most depth deep.
func (g *generator) expr(typ string, depth int) string {
	if vs := g.vars[typ]; len(vs) > 0 && g.IntN(3) == 0 {
		return vs[g.IntN(len(vs))]
	}
	if depth <= 0 {
		return g.leaf(typ)
	}
	e := func(t string) string { return g.expr(t, depth-1-g.IntN(2)) }
	if g.IntN(12) == 0 {
		return fmt.Sprintf("(%s ? %s : %s)", e("bool"), e(typ), e(typ))
	}
	if opt := "optional " + typ; g.IntN(16) == 0 && (typ == "int" || typ == "string" || typ == "ratio") {
		return g.pick(e(opt)+".orValue("+e(typ)+")", e(opt)+".value()")
	}
	switch typ {
	case "bool":
		return g.boolean(depth, e)
	case "int":
		return g.oneOf(
			func() string { return g.leaf("int") },
			func() string { return fmt.Sprintf("(%s %s %s)", e("int"), g.pick("+", "-", "*", "/", "%"), e("int")) },
			func() string { return fmt.Sprintf("(%s %s %s)", e("int"), g.pick("+", "-", "*"), e("int")) },
			func() string { return "-(" + e("int") + ")" },
			func() string { return e(g.pick("ints", "map", "tenants", "string")) + ".size()" },
			func() string { return fmt.Sprintf("%s[%s]", e("map"), e("string")) },
			func() string { return fmt.Sprintf("%s[%s]", e("ints"), e("int")) },
			func() string { return fmt.Sprintf("%s(%s)", g.pick("sum", "min", "max"), e("ints")) },
			func() string { return "floor(" + e("ratio") + ")" },
			func() string { return e("tenant") + "." + g.pick("weight", "budget", "vid") },
		)
	case "ratio":
		return g.oneOf(
			func() string { return g.leaf("ratio") },
			func() string { return fmt.Sprintf("ratio(%s, %s)", e("int"), e("int")) },
			func() string { return fmt.Sprintf("ratio(%s)", e("int")) },
			func() string {
				return fmt.Sprintf("(%s %s %s)", e("ratio"), g.pick("+", "-", "*", "/"), e(g.pick("ratio", "int")))
			},
			func() string { return "-(" + e("ratio") + ")" },
			func() string { return fmt.Sprintf("dominantShare(%s, %s)", e("map"), e("map")) },
			func() string { return fmt.Sprintf("dominantShare(%s.usage, capacity)", e("tenant")) },
			func() string { return fmt.Sprintf("%s(%s)", g.pick("sum", "min", "max"), e("ratios")) },
			func() string { return e("tenant") + "." + g.pick("cost", "balance", "utility", "target") },
			func() string { return fmt.Sprintf("%s[%s]", e("ratios"), e("int")) },
		)
	case "string":
		return g.oneOf(
			func() string { return g.leaf("string") },
			func() string { return e("tenant") + ".name" },
			func() string { return fmt.Sprintf("(%s + %s)", g.leaf("string"), g.leaf("string")) },
			func() string { return fmt.Sprintf("%s[%s]", e("strings"), e("int")) },
			func() string { return "string(" + e("bool") + ")" },
		)
	case "map":
		return g.oneOf(
			func() string { return g.leaf("map") },
			func() string { return e("tenant") + "." + g.pick("usage", "demand", "min", "max") },
			func() string { return fmt.Sprintf("{'x': %s, 'y': %s}", e("int"), e("int")) },
			func() string { return fmt.Sprintf("{'x': %s, 'z': %s}", e("int"), e("int")) },
			func() string { return fmt.Sprintf("{?'x': %s, 'y': %s}", e("optional int"), e("int")) },
			func() string {
				return g.under("string", func(k string) string {
					return g.under("int", func(v string) string {
						if g.IntN(2) == 0 {
							return fmt.Sprintf("%s.transformMap(%s, %s, %s)", g.orderedMap(), k, v, e("int"))
						}
						return fmt.Sprintf("%s.transformMap(%s, %s, %s, %s)", g.orderedMap(), k, v, e("bool"), e("int"))
					})
				})
			},
			func() string {
				return g.under("string", func(k string) string {
					return g.under("int", func(v string) string {
						return fmt.Sprintf("%s.transformMapEntry(%s, %s, {%s: %s})", g.orderedMap(), k, v, g.pick(k, "'x'", "'w'"), e("int"))
					})
				})
			},
		)
	case "tenant":
		return g.oneOf(
			func() string { return g.leaf("tenant") },
			func() string { return fmt.Sprintf("%s[%s]", e("tenants"), g.pick("0", "1", e("int"))) },
		)
	case "tenants":
		return g.list("tenant", "tenants", e)
	case "ints":
		return g.list("int", "ints", e)
	case "strings":
		return g.list("string", "strings", e)
	case "ratios":
		return g.list("ratio", "ratios", e)
	}
	if of, ok := strings.CutPrefix(typ, "optional "); ok {
		return g.oneOf(
			func() string { return "optional.of(" + e(of) + ")" },
			func() string { return "optional.none()" },
			func() string {
				if of == "ratio" {
					return "optional.none()"
				}
				return "optional.ofNonZeroValue(" + e(of) + ")"
			},
			func() string { return fmt.Sprintf("%s.or(%s)", e(typ), e(typ)) },
			func() string {
				if of == "int" {
					return g.pick(fmt.Sprintf("%s[?%s]", e("map"), e("string")), fmt.Sprintf("%s[?%s]", e("ints"), e("int")), e("map")+".?x",
						fmt.Sprintf("optional.of(%s).?x", e("map")), fmt.Sprintf("optional.of(%s)[?%s]", e("map"), e("string")))
				}
				return "optional.of(" + e(of) + ")"
			},
			func() string {
				return g.under("int", func(v string) string {
					return fmt.Sprintf("%s.optMap(%s, %s)", e("optional int"), v, e(of))
				})
			},
			func() string {
				return g.under("int", func(v string) string {
					return fmt.Sprintf("%s.optFlatMap(%s, %s)", e("optional int"), v, e(typ))
				})
			},
		)
	}
	panic(typ)
}

func (g *generator) boolean(depth int, e func(string) string) string {
	compare := func() string {
		t := g.pick("int", "ratio", "string", "int", "ratio")
		return fmt.Sprintf("(%s %s %s)", e(t), g.pick("<", "<=", ">", ">=", "==", "!="), e(t))
	}
	return g.oneOf(
		compare, compare, compare,
		func() string { return fmt.Sprintf("(%s %s %s)", e("bool"), g.pick("&&", "||"), e("bool")) },
		func() string { return fmt.Sprintf("(%s %s %s)", e("bool"), g.pick("&&", "||", "==", "!="), e("bool")) },
		func() string { return "!" + e("bool") },
		func() string { return fmt.Sprintf("(%s %s %s)", e("ratio"), g.pick("<", "<=", ">", ">="), e("int")) },
		func() string {
			t := g.pick("ints", "map", "strings", "tenants", "tenant", "optional int", "ratios")
			return fmt.Sprintf("(%s %s %s)", e(t), g.pick("==", "!="), e(t))
		},
		func() string { return fmt.Sprintf("(%s in %s)", e("int"), e("ints")) },
		func() string { return fmt.Sprintf("(%s in %s)", e("string"), e(g.pick("map", "strings"))) },
		func() string { return fmt.Sprintf("(%s in %s)", e("tenant"), e("tenants")) },
		func() string {
			return fmt.Sprintf("%s.%s(%s)", e("string"), g.pick("startsWith", "endsWith", "contains"), g.leaf("string"))
		},
		func() string { return "has(" + e("map") + "." + g.pick("x", "y", "z") + ")" },
		func() string { return e("tenant") + ".active" },
		func() string { return e("optional int") + ".hasValue()" },
		func() string {
			l, t := g.pick("ints", "tenants", "strings"), ""
			t = strings.TrimSuffix(l, "s")
			return g.under(t, func(v string) string {
				return fmt.Sprintf("%s.%s(%s, %s)", e(l), g.pick("all", "exists", "exists_one"), v, e("bool"))
			})
		},
		func() string {
			return g.under("string", func(v string) string {
				return fmt.Sprintf("%s.%s(%s, %s)", g.orderedMap(), g.pick("all", "exists", "exists_one"), v, e("bool"))
			})
		},
		func() string {
			return g.under("string", func(k string) string {
				return g.under("int", func(v string) string {
					return fmt.Sprintf("%s.%s(%s, %s, %s)", g.orderedMap(), g.pick("all", "exists", "existsOne"), k, v, e("bool"))
				})
			})
		},
		func() string {
			return g.under("int", func(i string) string {
				return g.under("tenant", func(v string) string {
					return fmt.Sprintf("%s.%s(%s, %s, %s)", e("tenants"), g.pick("all", "exists", "existsOne"), i, v, e("bool"))
				})
			})
		},
	)
}

func (g *generator) list(of, typ string, e func(string) string) string {
	return g.oneOf(
		func() string { return g.leaf(typ) },
		func() string {
			from := g.pick("int", "tenant", "string")
			return g.under(from, func(v string) string { return fmt.Sprintf("%s.map(%s, %s)", e(from+"s"), v, e(of)) })
		},
		func() string {
			return g.under(of, func(v string) string { return fmt.Sprintf("%s.filter(%s, %s)", e(typ), v, e("bool")) })
		},
		func() string {
			return g.under("string", func(v string) string {
				return fmt.Sprintf("%s.map(%s, %s, %s)", g.orderedMap(), v, e("bool"), e(of))
			})
		},
		func() string {
			return g.under("int", func(i string) string {
				return g.under("tenant", func(v string) string {
					return fmt.Sprintf("%s.transformList(%s, %s, %s, %s)", e("tenants"), i, v, e("bool"), e(of))
				})
			})
		},
		func() string { return fmt.Sprintf("[%s, %s]", e(of), e(of)) },
		func() string {
			if of == "int" || of == "string" || of == "ratio" {
				return fmt.Sprintf("[?%s, %s]", e("optional "+of), e(of))
			}
			return fmt.Sprintf("[%s]", e(of))
		},
	)
}

// orderedMap is a map that may be gone through.
func (g *generator) orderedMap() string {
	return g.pick("capacity", "free", "tenant.usage", "tenant.demand", "params.prices", "variables.twice", "oldTenant.usage")
}

// under is what f says with a new variable of a type in scope.
func (g *generator) under(typ string, f func(name string) string) string {
	g.n++
	name := fmt.Sprintf("v%d", g.n)
	g.vars[typ] = append(g.vars[typ], name)
	defer func() { g.vars[typ] = g.vars[typ][:len(g.vars[typ])-1] }()
	return f(name)
}

func (g *generator) leaf(typ string) string {
	if vs := g.vars[typ]; len(vs) > 0 && g.IntN(2) == 0 {
		return vs[g.IntN(len(vs))]
	}
	switch typ {
	case "bool":
		return g.pick("true", "false", "tenant.active", "oldTenant.active", "params.open", "tenants[1].active", "tenant == tenants[0]")
	case "int":
		return g.pick("0", "1", "2", "-1", "3", "7", "9223372036854775807", "-9223372036854775807 - 1", "4294967296", "tenant.weight",
			"tenant.budget", "tenants[0].weight", "tenants[1].budget", "capacity['x']", "free['y']", "tenant.usage['x']", "tenant.usage.y",
			"tenants[1].usage['x']", "tenant.demand['y']", "oldTenant.usage['x']", "tenant.max['x']", "tenant.vid", "params.most",
			"variables.double", "variables.broken")
	case "ratio":
		return g.pick("ratio(1, 2)", "ratio(0)", "ratio(-7, 3)", "tenant.balance", "tenant.utility", "params.share", "variables.held",
			"tenant.cost", "ratio(9223372036854775807, 2)", "tenants[1].target", "ratio(tenant.usage['x'], capacity['x'])", "oldTenant.cost", "oldTenant.balance", "oldTenant.utility")
	case "string":
		return g.pick("'a'", "'x'", "'y'", "''", "'xy'", "'ä'", "tenant.name", "tenants[1].name", "params.tier")
	case "map":
		return g.pick("capacity", "free", "tenant.usage", "tenants[1].demand", "params.prices", "variables.twice", "{'x': 1}", "oldTenant.usage",
			"{'x': 2, 'z': 0}", "tenant.min")
	case "tenant":
		return g.pick("tenant", "tenant", "tenants[0]", "tenants[1]", "oldTenant")
	case "tenants":
		return "tenants"
	case "ints":
		return g.pick("[1, 2, 3]", "[-1]", "tenants.map(t, t.weight)", "variables.some", "[1].filter(i, false)")
	case "strings":
		return g.pick("['a', 'x']", "params.names", "tenants.map(t, t.name)")
	case "ratios":
		return g.pick("[ratio(1, 3), ratio(2)]", "tenants.map(t, t.cost)", "tenants.map(t, dominantShare(t.usage, capacity))")
	}
	if of, ok := strings.CutPrefix(typ, "optional "); ok {
		return g.pick("optional.of("+g.leaf(of)+")", "optional.none()")
	}
	panic(typ)
}
