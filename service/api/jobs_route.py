"""The routes of pictures that are drawn while nobody waits for the answer."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from indexer.domain import Frozen
from service.api.guard import GuardedRoute, Rule, ruled
from service.api.problems import refusals
from service.generate.jobs import LISTED, Job, Jobs

router = APIRouter(
    prefix="/v1/generate/jobs",
    route_class=GuardedRoute,
    responses=refusals(404, 409, 422, 503),
)

WHO_KNOWS_IT = ruled(Rule.PUBLIC_SEARCH)
"""A job's id has 64 random bits and is told to whoever asked for the picture."""
JobId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="As the job was answered with.")]


class JobList(Frozen):
    jobs: list[Job]
    """Newest first."""


@router.get("", dependencies=[ruled(Rule.MERCHANDISE)], summary=f"The {LISTED} newest drawing jobs")
def jobs(
    request: Request,
    catalog: Annotated[str | None, Query(description="Default: jobs of all catalogs.")] = None,
) -> JobList:
    return JobList(jobs=list(_jobs(request).recent(catalog)))


@router.get("/{job_id}", dependencies=[WHO_KNOWS_IT], summary="How far a drawing job is, and its result")
def job(request: Request, job_id: JobId) -> Job:
    return _jobs(request).get(job_id)


@router.delete(
    "/{job_id}", dependencies=[WHO_KNOWS_IT], summary="Cancel a drawing job; one that runs ends at its next step"
)
def cancel_job(request: Request, job_id: JobId) -> Job:
    return _jobs(request).cancel(job_id)


def _jobs(request: Request) -> Jobs:
    found: Jobs = request.app.state.shop.jobs
    return found
