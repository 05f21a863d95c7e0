"""The table on the terminal and the same as JSON."""
import statistics

UNDER_TEST = "telamon"
REFERENCE = "haproxy"


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def number(v):
    for limit, digits in ((1000, 0), (100, 0), (10, 1)):
        if abs(v) >= limit:
            return f"{v:.{digits}f}"
    return f"{v:.2f}"


def goal_of(metric, name, ratio, median):
    """Only the program under test has goals."""
    if name != UNDER_TEST or not metric.must:
        return None
    value = median if metric.absolute else ratio
    if value is None:
        return None
    goal = {"must": metric.must, "met": value <= metric.must}
    if metric.aim:
        goal.update(aim=metric.aim, aim_met=value <= metric.aim)
    return goal


def evaluate(row, samples):
    """{metric: {contender: {median, min, max, n, ratio, goal}}}"""
    out = {}
    for m in row.metrics:
        found = {name: summary([v[m.key] for v in values]) for name, values in samples.items()
                 if values and m.key in values[0]}
        base = found.get(REFERENCE, {}).get("median")
        for name, s in found.items():
            s["ratio"] = s["median"] / base if base and base > 0 and name != "direct" else None
            s["goal"] = goal_of(m, name, s["ratio"], s["median"])
        out[m.key] = found
    return out


def goal_text(goal):
    if not goal:
        return ""
    text = f"must {number(goal['must'])} {'met' if goal['met'] else 'NOT MET'}"
    if "aim" in goal:
        text += f", aim {number(goal['aim'])} {'met' if goal['aim_met'] else 'not met'}"
    return text


def extras(values):
    """What else was seen: rate, share of the CPU, of the load generator's CPU."""
    forms = (("rate", "{:.0f}/s"), ("gbs", "{:.2f} GB/s"), ("cpu", "proxy {:.0%}"), ("load_cpu", "load {:.0%}"),
             ("wait", "wait {:.1%}"),
             ("p999", "p99.9 {:.0f} us"), ("lines_per_unit", "{:.4g} log lines each"))
    seen = [f.format(statistics.median(v[k] for v in values)) for k, f in forms if k in values[0]]
    limited = sum(v.get("load_limited", 0) for v in values)
    return ", ".join(seen + ([f"{limited} limited by the load"] if limited else []))


def line(name, s, tail):
    ratio = f"{s['ratio']:.2f}" if s["ratio"] is not None else "-"
    spread = f"{number(s['min'])}..{number(s['max'])}"
    print(f"  {name:<12} {number(s['median']):>9}  {spread:<17} {ratio:>6}  {tail}")


def print_row(row, samples, result, notes):
    print(f"\n{row.name}: {row.title}")
    for i, m in enumerate(row.metrics):
        print(f"  {m.label:<27}{'min..max':<17}   ratio")
        for name, s in result[m.key].items():
            tail = [goal_text(s["goal"])]
            if i == 0:
                tail.append(f"n={s['n']}")
                tail.append(extras(samples[name]))
            line(name, s, "  ".join(t for t in tail if t))
    for note in notes:
        print(f"  ! {note}")


def as_json(row, samples, result, notes):
    return {"row": row.name, "title": row.title, "result": result, "samples": samples, "notes": notes}
