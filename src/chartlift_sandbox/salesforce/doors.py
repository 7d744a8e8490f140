"""Everything that stands between the wire and the engine, in one place, so that the control door can reach it."""

from dataclasses import dataclass
from pathlib import Path

from chartlift_sandbox.faults import FaultPlan
from chartlift_sandbox.salesforce.bulk_jobs import IngestJobs
from chartlift_sandbox.salesforce.bulk_worker import IngestWorker
from chartlift_sandbox.salesforce.classic_jobs import ClassicJobs
from chartlift_sandbox.salesforce.injected import Injector
from chartlift_sandbox.salesforce.login import ConnectedApp, Sessions
from chartlift_sandbox.salesforce.metadata_jobs import MetadataJobs
from chartlift_sandbox.salesforce.org import Org
from chartlift_sandbox.salesforce.query_jobs import QueryJobs
from chartlift_sandbox.salesforce.storage import StorageGuard
from chartlift_sandbox.salesforce.usage import Usage


@dataclass
class DoorSettings:
    """Switches of the doors; those of the engine are in `org.settings`."""

    bulk_shuffle_results: bool = True
    """Result sets of ingest jobs come in another order than the upload."""
    bulk_echo_java_doubles: bool = True
    """Numbers in successful results are written as Java writes a double."""
    bulk_results_before_end: bool = False
    """Result sets of ingest jobs can be read before the job has ended; they are empty then."""
    bulk_second_upload_code: str = "INVALIDJOBSTATE"
    """Error code of a second upload to one job."""
    bulk_upload_bytes: int = 112_500_000
    """Largest upload: 150 MB once the platform has base64-encoded it."""


@dataclass
class Doors:
    """The state behind one org's endpoints."""

    org: Org
    settings: DoorSettings
    usage: Usage
    faults: FaultPlan
    sessions: Sessions
    jobs: IngestJobs
    worker: IngestWorker
    metadata: MetadataJobs
    classic: ClassicJobs
    queries: QueryJobs
    folder: Path

    def busy(self) -> bool:
        """Whether a job or deployment is being carried out."""
        jobs = any(job.busy or job.state == "InProgress" for job in self.jobs.all())
        return jobs or self.classic.busy() or self.metadata.busy()

    def object_of(self, path: str) -> str | None:
        """The object that a path touches, looking ingest jobs up; None if it touches none."""
        parts = [part for part in path.split("/") if part]
        for word, place in (("sobjects", 1), ("ingest", 1)):
            if word not in parts[3:] or len(parts) <= parts.index(word) + place:
                continue
            name = parts[parts.index(word) + place]
            if word == "sobjects":
                found = self.org.schema.object(name)
                return found.name if found is not None else None
            job = self.jobs.find(name)
            return job.object if job is not None else None
        return None

    def close(self) -> None:
        """Ends the background work."""
        self.worker.stop()
        self.metadata.stop()
        self.classic.stop()


def open_doors(org: Org, home: Path, app: ConnectedApp, faults: FaultPlan) -> Doors:
    """Builds the state; job data goes to `home`/jobs."""
    folder = home / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    usage, jobs = Usage(org.clock), IngestJobs(org.clock, folder)
    worker = IngestWorker(org, jobs, usage, faults)
    org.row_faults.append(StorageGuard(org, usage).refuse)
    org.storage_mb = lambda: usage.maximum["DataStorageMB"]
    org.injector = Injector(faults)
    faults.clock = org.clock
    queries = QueryJobs(org, folder)
    classic, metadata = ClassicJobs(org, usage), MetadataJobs(org, faults)
    sessions = Sessions(org, app)
    sessions.usage = usage
    return Doors(org, DoorSettings(), usage, faults, sessions, jobs, worker, metadata, classic, queries, folder)
