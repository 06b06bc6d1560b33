"""The other client of the API: the real Python CodeCarbon tracks two seconds with save_to_api.

python python_codecarbon_api.py ENDPOINT EXPERIMENT_ID API_KEY
"""

import sys
import time

from codecarbon import EmissionsTracker

endpoint, experiment_id, api_key = sys.argv[1:]
tracker = EmissionsTracker(
    project_name="python",
    save_to_api=True,
    save_to_file=False,
    api_endpoint=endpoint,
    experiment_id=experiment_id,
    api_key=api_key,
    api_call_interval=1,
    measure_power_secs=1.2,
    force_cpu_power=65,
    log_level="error",
)
tracker.start()
time.sleep(4)
tracker.stop()
