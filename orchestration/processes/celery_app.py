"""The Celery application that workers serve: `vivavoce worker` starts one on it."""

from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

from orchestration.processes.workers import broker_url
from orchestration.settings import load_settings

_broker_url = broker_url(load_settings())

app = make_app()
app.conf.update(
    broker_url=_broker_url,
    result_backend=_broker_url,
    # A step takes minutes: a worker that holds more than the one it works on keeps others idle.
    worker_prefetch_multiplier=1,
    # A step of a worker that was killed goes to another one; what was judged is not paid again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # Longer than any step takes: Redis hands out again what was not finished by then.
    broker_transport_options={"visibility_timeout": 6 * 3_600},
    broker_connection_retry_on_startup=True,
)

execute_plan = create_task(app)
