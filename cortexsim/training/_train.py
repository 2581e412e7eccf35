"""Train a model: an iterator of progress records, stopped by leaving the loop, resumed exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import xarray as xr
from torch import Tensor, nn

from cortexsim._support import randomness
from cortexsim._support.checks import shown, whole
from cortexsim._support.files import PathLock, refuse_existing
from cortexsim.model._calibrate import calibrate
from cortexsim.model.checkpoint import checked_suffix
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.modes import mode_restored, own_modes, undisturbed
from cortexsim.model.plan import RunPlan, plan_readouts
from cortexsim.training import distributed as ranks
from cortexsim.training.augmentation import MaskSources, augment, augment_with_maps, shrink
from cortexsim.training.batches import collected
from cortexsim.training.captured import Gradients, Loss
from cortexsim.training.evaluate import accuracies, asked_times
from cortexsim.training.examples import classes_after, difficulty, held_out, pairs
from cortexsim.training.interruption import EndedBySignal, LastStep, closed_at_exit
from cortexsim.training.recipe import Recipe
from cortexsim.training.records import Progress, TrainingDivergedError
from cortexsim.training.setup import identity_of, optimizer_of, precision_on, refuse_too_few
from cortexsim.training.state import read_state, write_state
from cortexsim.training.step import Batch, fraction_right, loss_of
from cortexsim.training.trained_times import calibrated_until, check_fits, refuse_different_times, trained_times


@own_modes()
def train(
    model: Cortex,
    data: Any,
    recipe: Recipe | None = None,
    *,
    checkpoint: str | Path | None = None,
    report_every: int = 20,
) -> Generator[Progress]:
    """Train a model on its device (CPU or GPU), step by step; `fit` runs to the end. Ends with a calibration.

    This is an iterator: nothing is trained before the first record is taken. Leaving the loop (or closing it) stops the
    training; with `checkpoint` its whole state is then on disk, and the same call continues from there: on the CPU to
    the same weights as without the interruption.

    In a process group (torchrun) each process calls this with the same arguments and takes its part of every batch:
    normalized over all parts, with the gradients of all, they learn what one process does, up to rounding. All must
    leave the loop at the same record.

    Parameters
    ----------
    model : Cortex
        Trained in place.
    data : Dataset or (Tensor, Tensor)
        Images with `label`, or for a model that reads out a map with `target` and `line`; or images of shape
        (stimulus, 3, height, width) and labels of shape (stimulus,), of a map (stimulus, y, x) with -1 where no answer
        counts. Movies have a `frame` dimension after the first. Labels of shape (stimulus, time) are the class to be
        read at each readout time, -1 where no answer counts. Or an iterable of batches (images, labels), such as a
        DataLoader, or a torch Dataset of (image, label). These are read once, into memory: order, batches and
        augmentation are the recipe's. A training continues from a checkpoint only if they give the same images in the
        same order again, which a loader that shuffles or augments does not; that is refused.
    recipe : Recipe, optional
        By default `Recipe.quick()`.
    checkpoint : path, optional
        Ends in .safetensors: file of the state of the training, written at each epoch's end and when it stops, however
        it does: by leaving the loop, by an error, Ctrl-C or SIGTERM. It contains the state after the last whole step.
    report_every : int
        Steps between records.

    Yields
    ------
    Progress
        First at step 0, untrained; then every `report_every` steps and at each epoch's end; the last has `done` set.

    Raises
    ------
    ValueError
        If data, labels or recipe do not fit the model, or the checkpoint belongs to a different training.
    BlockingIOError
        If another training is writing the checkpoint.
    OSError
        If the checkpoint cannot be written.
    TrainingDivergedError
        If the loss is not finite; the checkpoint contains the last good state.

    Examples
    --------
    >>> import cortexsim as cs
    >>> data = cs.datasets.digits(64, size=16)
    >>> model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 8}, size=16), readout_time=3)
    >>> recipe = cs.Recipe(epochs=1, batch_size=16, validation=0, calibration_images=32)
    >>> for progress in cs.train(model, data, recipe, report_every=2):
    ...     if progress.step == 2:
    ...         break  # a training can be left at any record
    >>> progress.step, progress.done
    (2, False)
    """
    model = the_cortex(model, "train")
    recipe = Recipe.quick() if recipe is None else recipe
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe must be a Recipe, such as Recipe.quick(), got {shown(recipe)}")
    training = _Training(model, collected(data), recipe, checkpoint, whole(report_every, "report_every", 1))
    return closed_at_exit(training.run())


def fit(
    model: Cortex,
    data: Any,
    recipe: Recipe | None = None,
    *,
    checkpoint: str | Path | None = None,
    report: Callable[[Progress], object] | None = None,
) -> Progress:
    """Train a model to the end and return the last progress record; see `train`.

    Parameters
    ----------
    model, data, recipe, checkpoint
        As for `train`.
    report : callable, optional
        Called with each record, such as `print`. An exception from it stops the training; with `checkpoint` the same
        call continues it.

    Returns
    -------
    Progress
        With `done` set, and the accuracy on held-out images at each readout time.

    Examples
    --------
    >>> import cortexsim as cs
    >>> data = cs.datasets.digits(64, size=16)
    >>> model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 8}, size=16), readout_time=3)
    >>> recipe = cs.Recipe(epochs=1, batch_size=16, validation=0, calibration_images=32)
    >>> progress = cs.fit(model, data, recipe)
    >>> progress.done, progress.steps
    (True, 4)
    """
    if report is not None and not callable(report):
        raise TypeError(f"report must be a function of a progress record, such as print, got {shown(report)}")
    last = None
    with closing(train(model, data, recipe, checkpoint=checkpoint)) as records:
        for last in records:
            if report is not None:
                report(last)
    assert last is not None
    return last


class _Training:
    """The state of one training; all that is random comes from (seed, epoch, image)."""

    def __init__(
        self, model: Cortex, data: Any, recipe: Recipe, checkpoint: str | Path | None, report_every: int
    ) -> None:
        self.model, self.recipe, self.report_every = model, recipe, report_every
        self.path = None if checkpoint is None else refuse_existing(checked_suffix(checkpoint), replacing=True)
        images, labels = pairs(data, model, recipe.calibrate_until or 2 * model.readout_time)
        if model.has_own_pre_net and len(recipe.growth) > 1:
            raise ValueError(
                f"growth {recipe.growth} shrinks the images, which a pre-net of your own may not accept; "
                "set growth=((0.0, 1.0),) in the recipe"
            )
        ranks.refuse_uneven(recipe.batch_size)
        self.presentation = recipe.presentation.for_images(images)
        if ranks.together():
            refuse_different_times(model, self.presentation)
            ranks.same_everywhere(model)
        self.maps = labels.ndim == 3
        check_fits(recipe, model, images, labels)
        asked = asked_times(labels)
        self.times = {
            until: trained_times(model, self.presentation, recipe, until, asked) for _, until in recipe.unfolding
        }
        self.device = next(model.parameters()).device
        chosen, held = held_out(labels, recipe)
        self.validation = images[held].to(self.device), labels[held].to(self.device)
        self.images, self.labels = images[chosen].to(self.device), labels[chosen].to(self.device)
        self.easiest = difficulty(data, recipe, len(images))[chosen].argsort(stable=True).to(self.device)
        refuse_too_few(recipe, self.images)
        self.multiple = 2 ** (len(model.graph.states) - 1)
        self.mask_sources = MaskSources(self.images, self.presentation, self.multiple)
        self.precision = precision_on(self.device) if recipe.precision == "auto" else recipe.precision
        self.steps_per_epoch = len(chosen) // recipe.batch_size
        self.steps = recipe.epochs * self.steps_per_epoch
        self.step, self.seconds = 0, 0.0
        self.name = str(data.attrs.get("name", "unnamed")) if isinstance(data, xr.Dataset) else "unnamed"
        self._shuffled: tuple[int, Tensor] | None = None
        self._last: tuple[float, dict[int, float]] = (float("nan"), {})
        self._since: list[tuple[Tensor, list[int], Tensor]] = []
        self.optimizer = optimizer_of(model, recipe)
        on_one_gpu = self.device.type == "cuda" and not ranks.together()
        self._gradients = Gradients(model, capturing=on_one_gpu and not recipe.recompute)
        self._last_step, self._in_step, self._saved_at = LastStep(model, self.optimizer), False, 0
        model.classes = classes_after(model, data)
        self.identity = identity_of(model, recipe, images, labels, self.easiest)

    def run(self) -> Generator[Progress]:
        with self._alone(), EndedBySignal() as signals:
            if self.path is not None and self.path.exists():
                self._resume(self.path)
            else:
                yield self._untrained()
            self._saved_at = self.step
            with mode_restored(self.model):
                yield from self._kept(signals)

    def _kept(self, signals: EndedBySignal) -> Iterator[Progress]:
        """Take all steps that are left, and keep the last whole one if they end early."""
        try:
            for record in self._records():
                yield record
                signals.check()
        except TrainingDivergedError:
            raise
        except BaseException as error:
            # the steps so far must not be lost, whatever ended the training
            signals.saving = True
            self._keep(error)
            raise

    def _records(self) -> Iterator[Progress]:
        """Take all steps that are left, and yield the records."""
        started, first_step, before = time.perf_counter(), self.step, self.seconds
        while self.step < self.steps:
            self._one_step()
            epoch_ends = self.step % self.steps_per_epoch == 0
            if not epoch_ends and self.step % self.report_every:
                continue
            loss, accuracy = self._gather()
            validation = None
            if epoch_ends and self.recipe.scale_at(self.step / self.steps) == 1:
                until = self.recipe.unfolded_at((self.step - 1) / self.steps) or self.model.readout_time
                validation = self._validate(until, thorough=False)
            here = time.perf_counter() - started
            self.seconds = before + here
            if epoch_ends:
                if not self._is_finite():
                    raise self._diverged(self.step)
                self._save()
            left = here * self._work(self.step, self.steps) / self._work(first_step, self.step)
            yield self._record(loss, accuracy, validation, left)
        validation = self._finish()
        self.seconds = before + time.perf_counter() - started
        self.model.about["seconds"] = self.seconds
        yield self._record(*self._last, validation, 0.0, True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock the checkpoint against other trainings."""
        # of several processes that train together, the first one writes
        lock = PathLock(self.path) if self.path is not None and ranks.rank() == 0 else None
        try:
            yield
        finally:
            if lock is not None:
                lock.release()

    def _keep(self, error: BaseException) -> None:
        """Write the last whole step, unless it is written; a failure to write it becomes a note on the error."""
        if self._in_step:
            self.step = self._last_step.restore()
            self._in_step = False
        if self.step == self._saved_at or not self._is_finite():
            return
        try:
            self._save()
        except OSError as failed:
            if isinstance(error, GeneratorExit):
                raise
            error.add_note(f"the state of the training after step {self.step} could not be saved: {failed}")

    def _is_finite(self) -> bool:
        losses = all(bool(loss.isfinite()) for loss, _, _ in self._since)
        return losses and all(bool(weights.isfinite().all()) for weights in self.model.parameters())

    def _untrained(self) -> Progress:
        """Read out the first batch before anything is learned."""
        with own_modes(), undisturbed(self.model), torch.no_grad():
            batch = self._draw()
            loss, answers = self._loss_of(batch)(*batch.tensors)
            loss, accuracy = ranks.summed(loss), fraction_right(ranks.summed(answers)[None])
        return self._record(float(loss), dict(zip(batch.times, accuracy.tolist(), strict=True)), None, float("nan"))

    def _one_step(self) -> None:
        self._last_step.mark(self.step)
        self._in_step = True
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate_at(self.step / self.steps)
        self.model.train()
        # in any mode of the caller, such as within torch.no_grad()
        with own_modes(), torch.enable_grad():
            batch = self._draw()
            loss, answers = self._gradients(batch.kind, batch.tensors, self._loss_of(batch))
        ranks.add_gradients(self.model.parameters())
        if self.recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        self.optimizer.step()
        self.step += 1
        self._in_step = False
        # stays on the device, so that no step waits for a GPU
        self._since.append((loss, batch.times, answers))

    def _draw(self) -> Batch:
        """Draw the step's batch: which images, and how they are changed and shown."""
        recipe = self.recipe
        epoch, within = divmod(self.step, self.steps_per_epoch)
        progress = self.step / self.steps
        scale = recipe.scale_at(progress)
        times, warmup = self.times[recipe.unfolded_at(progress)], self._warmup()
        seed = recipe.seed * 1_000_003 + epoch
        plan = self._plan([time + warmup for time in times], seed)
        drawn = self._order(seed)[within * recipe.batch_size :][: recipe.batch_size]
        whole = self.easiest[drawn % max(round(recipe.share_at(progress) * len(self.easiest)), 1)]
        index = whole[ranks.rank() :: ranks.n_ranks()]
        images, labels = self.images[index], self.labels[index]
        if self.maps:
            images, labels = augment_with_maps(images, labels, recipe.augmentation, seed, index)
        else:
            images = augment(images, recipe.augmentation, seed, index)
            images = shrink(images, scale, self.multiple)
        frames = replace(plan, images=self.mask_sources.at(scale)).lay_out(images, index)
        tensors = frames.images, labels, self.labels[whole]
        return Batch(plan, frames.lookup, tensors, times, warmup, seed * 1_000_003 + within)

    def _loss_of(self, batch: Batch) -> Loss:
        return partial(loss_of, batch, self.recipe, self.precision)

    def _warmup(self) -> int:
        """Draw the number of steps that this batch first runs without gradients."""
        if self.recipe.progressive is None:
            return 0
        share, most = self.recipe.progressive
        step = torch.tensor([self.step])
        if float(randomness.uniform(self.recipe.seed, "progressive", step)) >= share:
            return 0
        return 1 + int(randomness.integers(self.recipe.seed, "progressive/steps", step, most))

    def _plan(self, times: Sequence[int], seed: int = 0) -> RunPlan:
        """Plan the readouts at these times, normalized by the batch or by the model's own norm."""
        plan = plan_readouts(self.model, self.images, self.presentation, times, seed=seed).normalized_by(None)
        by_all = self.model.needs_statistics and ranks.together()
        return replace(plan, normalize=ranks.by_whole_batch) if by_all else plan

    def _order(self, seed: int) -> Tensor:
        if self._shuffled is None or self._shuffled[0] != seed:
            generator = torch.Generator().manual_seed(seed)
            order = torch.randperm(len(self.images), generator=generator)
            # once an epoch, because a copy to a GPU waits for all work there
            self._shuffled = (seed, order.to(self.device))
        return self._shuffled[1]

    @own_modes()
    def _gather(self) -> tuple[float, dict[int, float]]:
        losses = ranks.summed(torch.stack([loss for loss, _, _ in self._since]))
        # times may have been unfolded since the last record: only steps that trained the present times count
        now = self._since[-1][1]
        answers = ranks.summed(torch.stack([answers for _, times, answers in self._since if times == now]))
        accuracies = fraction_right(answers).tolist()
        self._since = []
        if not bool(losses.isfinite().all()):
            bad = self.step - len(losses) + 1 + int((~losses.isfinite()).nonzero()[0])
            raise self._diverged(bad)
        self._last = float(losses.mean()), dict(zip(now, accuracies, strict=True))
        return self._last

    def _diverged(self, step: int) -> TrainingDivergedError:
        saved = f"; {self.path} has the last good state" if self.path is not None and self.path.exists() else ""
        return TrainingDivergedError(
            f"the loss was not a finite number at step {step} of {self.steps}, at learning rate "
            f"{self.recipe.learning_rate_at(step / self.steps):.3g}: lower learning_rate, or set "
            f"precision='float32'{saved}"
        )

    def _record(
        self,
        loss: float,
        accuracy: dict[int, float],
        validation: dict[int, float] | None,
        left: float,
        done: bool = False,
    ) -> Progress:
        return Progress(
            self.step,
            self.steps,
            self.step // self.steps_per_epoch,
            loss,
            accuracy,
            validation,
            self.recipe.learning_rate_at(min(self.step / self.steps, 1)),
            self.seconds,
            left,
            done,
        )

    def _work(self, start: int, stop: int) -> float:
        """Estimate the work of steps, which grows with the images' area and with the number of transitions."""
        recipe = self.recipe
        begins = sorted({begin for plan in (recipe.growth, recipe.unfolding) for begin, _ in plan})
        work = 1e-9
        for begin, end in pairwise([*begins, 1.0]):
            steps = min(stop, round(end * self.steps)) - max(start, round(begin * self.steps))
            planned = self._plan(self.times[recipe.unfolded_at(begin)]).schedule
            work += max(steps, 0) * recipe.scale_at(begin) ** 2 * len(planned)
        return work

    @own_modes()
    def _validate(self, until: int, *, thorough: bool) -> dict[int, float] | None:
        """Calibrate on training images, then read the held-out ones at every time."""
        model, recipe = self.model, self.recipe
        images, labels = self.validation
        if not thorough and not len(images):
            return None
        if model.needs_statistics:
            n = recipe.calibration_images if thorough else recipe.brief_calibration_images
            some = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(recipe.seed))[:n]
            calibrate(model, self.images[some.to(self.device)], recipe.presentation, until=until, seed=recipe.seed)
        if not len(images):
            return None
        asked = asked_times(labels)
        times = [time for time in model.readable(self.presentation, until) if asked is None or time in asked]
        return accuracies(model, images, labels, times, recipe.presentation, seed=recipe.seed)

    def _finish(self) -> dict[int, float] | None:
        recipe, model = self.recipe, self.model
        validation = self._validate(calibrated_until(recipe, model), thorough=True)
        model.about = {
            "recipe": recipe.to_dict(),
            "data": self.name,
            "n_images": len(self.images),
            "validation": validation and {str(t): value for t, value in validation.items()},
            "device": str(self.device),
            "precision": self.precision,
        }
        return validation

    def _save(self) -> None:
        # the state of all processes is the same
        if self.path is not None and ranks.rank() == 0:
            write_state(self.path, self.model, self.optimizer, self.identity, self.step, self.seconds)
        self._saved_at = self.step

    def _resume(self, path: Path) -> None:
        self.step, self.seconds = read_state(path, self.model, self.optimizer, self.identity)
