"""One reading of netdata's haproxy collector, as JSON: netdata_once.py SOCKET. Without netdata itself, which would run for ever."""
import importlib.machinery, json, sys
BASE = "/usr/lib/netdata/python.d"
sys.path.insert(0, BASE + "/python_modules")
collector = importlib.machinery.SourceFileLoader("collector", BASE + "/haproxy.chart.py").load_module()
service = collector.Service(configuration={
    "socket": sys.argv[1], "update_every": 1, "priority": 1, "job_name": "once", "override_name": None, "penalty": True,
    "chart_cleanup": 0, "autodetection_retry": 0})
print(json.dumps({"check": service.check(), "data": service.get_data()}))
