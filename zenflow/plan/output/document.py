"""A plan as a JSON document (`plan --json`). `format`, `status` and `error` are added by whoever prints it."""

from __future__ import annotations

from typing import Any

from zenflow.credits import as_number, as_numbers
from zenflow.plan.model import Count, Judgement, Plan, PlannedStep, Reuse
from zenflow.problems import Problem
from zenflow.recipe.origins import origins_document


def plan_document(plan: Plan) -> dict[str, Any]:
    """Recipe, money, verdict and steps of a plan."""
    judgement = plan.judgement
    return {
        "recipe": {
            "name": plan.recipe.name,
            "version": plan.recipe.version,
            "digest": plan.recipe.digest,
            "repositories": origins_document(plan.recipe.origins),
        },
        "server": plan.server,
        "credits": as_numbers(plan.credits),
        "budget": as_number(judgement.budget.credits),
        "budget_from": judgement.budget.origin,
        "balance": as_number(plan.account.credits) if plan.account is not None else None,
        "balance_at": None if plan.balance_at is None else plan.balance_at.isoformat(),
        "verdict": judgement.verdict.value,
        **_reasons(judgement),
        "unpriced": list(plan.unpriced),
        "priced_at": None if plan.priced_at is None else plan.priced_at.isoformat(),
        "price_questions": len(plan.prices),
        "expected_s": round(plan.expected_s, 1),
        "steps": [_step(step) for step in plan.steps.values()],
        "reuse": None if plan.reuse is None else _reuse(plan.reuse),
        "problems": [problem_document(problem) for problem in plan.warnings],
    }


def planned_steps(plan: Plan) -> dict[str, dict[str, Any]]:
    """Return the credits and instances of each step as the journal keeps them, for reports."""
    return {
        step.path: {**as_numbers(step.credits), "instances": _count(step.instances)} for step in plan.steps.values()
    }


def problem_document(problem: Problem) -> dict[str, Any]:
    """One finding with its place."""
    place = problem.place
    return {
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "column": None if place is None else place.column,
        "end_line": None if place is None else place.end_line,
        "end_column": None if place is None else place.end_column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }


def _reasons(judgement: Judgement) -> dict[str, Any]:
    return {
        "short_by": as_number(judgement.short_by),
        "bound": judgement.bound or None,
        "stops_at": judgement.stops_at,
        "finished_by_then": judgement.finished_by_then or None,
        "ways_out": list(judgement.ways_out),
    }


def _reuse(reuse: Reuse) -> dict[str, Any]:
    return {
        "source": reuse.options.get("source"),
        "kept": [
            {
                "instance": kept.address,
                "from_run": kept.run_id,
                "from_instance": kept.instance,
                "credits": as_number(kept.credits),
            }
            for kept in reuse.kept
        ],
        "kept_credits": as_number(reuse.kept_credits),
        "orphaned": [
            {"run": one.run_id, "instance": one.instance, "uses": one.uses, "credits": as_number(one.credits)}
            for one in reuse.orphans
        ],
        "orphaned_credits": as_number(reuse.orphaned_credits),
        "gone": list(reuse.gone),
    }


def _step(step: PlannedStep) -> dict[str, Any]:
    span = step.credits_each_range
    return {
        "id": step.path,
        "uses": step.uses,
        "kind": step.kind,
        "model": step.model,
        "instances": _count(step.instances),
        "kept": step.kept,
        "credits_each": as_number(step.credits_each),
        "credits_each_range": None if span is None else [as_number(span[0]), as_number(span[1])],
        "credits": as_numbers(step.credits),
        "unpriced": step.unpriced,
        "stand_in": step.placeholder,
        "max_credits": as_number(step.max_credits),
        "retries": step.retries,
        "needs": list(step.needs),
        "uncertain": step.uncertain or None,
        "skipped": step.skipped or None,
        "usual_s": round(step.usual_s, 1),
        "priced_at": None if step.priced_at is None else step.priced_at.isoformat(),
    }


def _count(count: Count) -> dict[str, int]:
    return {"min": count.min, "expected": count.expected, "max": count.max}
