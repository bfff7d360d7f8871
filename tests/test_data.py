"""The embedded tasks: what they promise about splits, shapes, seeds, labels and errors."""

import numpy as np
import pytest
import torch

import dista.data
from dista.data.cache import cache_folder, cached_arrays
from dista.data.digits import load_digits, split_indices
from dista.data.match import draw_pairs
from dista.data.task import frozen_random, seeded_generator
from dista.data.warp import EventWarp, Warp

# What a split serves as one sample and as a batch of three, for every task.
SHAPES = {
    "digits": ((1, 28, 28), (3, 1, 28, 28)),
    "digits-events": ((8, 2, 34, 34), (8, 3, 2, 34, 34)),
    "match": ((8, 1, 28, 28), (8, 3, 1, 28, 28)),
}
SIZES = {
    "digits": (3600, 400, 1000),
    "digits-events": (3600, 400, 1000),
    "match": (4000, 1000, 2000),
}


@pytest.fixture(scope="module", params=SHAPES)
def task(request):
    return dista.data.open(request.param)


def splits(task):
    return task.train, task.validation, task.test


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def one(split, size=37, **options):
    return next(iter(split.batches(size, **options)))


# --- every task ---------------------------------------------------------------------------------


def test_names_are_those_with_a_known_shape():
    """Those that read files have a test file of their own."""
    assert set(dista.data.names()) == {*SHAPES, *dista.data.FROM_FILES}


def test_what_fits_a_task_is_known_without_opening_it(task):
    tasks = dista.data.fitting(task.input_shape, len(task.classes))
    assert task.name in tasks and "recordings" not in tasks
    assert not dista.data.fitting((9, 9, 9), 4)


def test_sizes_shapes_and_ranges(task):
    sample_shape, batch_shape = SHAPES[task.name]
    assert tuple(map(len, splits(task))) == SIZES[task.name]
    for split in splits(task):
        x, y = split.sample(len(split) - 1)
        assert x.shape == sample_shape and x.dtype == torch.float32 and isinstance(y, int)
        assert 0 <= y < len(task.classes)
        assert split.inputs.dtype == torch.uint8
        x, y = split.batch(np.array([5, 0, 3]))
        assert x.shape == batch_shape and y.dtype == torch.int64
        assert y.tolist() == split.labels[[5, 0, 3]].tolist()
    assert sample_shape[-3:] == task.input_shape
    assert task.time_steps == (None if len(sample_shape) == 3 else sample_shape[0])


def test_values_are_pixels_or_counts(task):
    x, _ = one(task.train, augment=True)
    assert x.min() == 0
    if task.name == "digits-events":
        assert torch.equal(x, x.round()) and 2 < x.max() < 100
    else:
        assert 0.9 < x.max() <= 1


def test_a_sample_is_a_column_of_its_batch(task):
    x, y = task.test.batch([11, 7])
    for column, index in enumerate((11, 7)):
        single, label = task.test.sample(index)
        within = x[:, column] if task.time_steps else x[column]
        assert torch.equal(single, within) and label == y[column]


def test_an_unshuffled_pass_serves_every_sample_once_in_order(task):
    batches = task.validation.batches(37)
    served = list(batches)
    assert len(served) == len(batches) == -(-len(task.validation) // 37)
    assert torch.cat([y for _, y in served]).tolist() == task.validation.labels.tolist()
    x, y = task.validation.batch(range(37, 74))
    assert same(served[1], (x, y))


def test_batches_follow_from_seed_and_epoch(task):
    options = {"shuffle": True, "augment": True}
    first = one(task.train, **options, seed=3, epoch=5)
    assert same(first, one(task.train, **options, seed=3, epoch=5))
    for other in ({"seed": 5, "epoch": 3}, {"seed": 3, "epoch": 6}, {"seed": 4, "epoch": 5}):
        assert not same(first, one(task.train, **options, **other))


def test_iterating_again_repeats_and_leaves_the_global_generator_alone(task):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    batches = task.train.batches(500, shuffle=True, augment=True, seed=1)
    assert all(same(a, b) for a, b in zip(batches, batches, strict=True))
    assert torch.equal(torch.rand(3), expected)


def test_shuffling_keeps_the_samples_and_changes_their_order(task):
    plain = torch.cat([y for _, y in task.test.batches(300)])
    mixed = torch.cat([y for _, y in task.test.batches(300, shuffle=True)])
    assert not torch.equal(plain, mixed)
    assert torch.equal(plain.bincount(), mixed.bincount())


def test_augmentation_is_for_training_only(task):
    plain, label = one(task.train)
    augmented, same_label = one(task.train, augment=True)
    assert torch.equal(label, same_label)
    # Deformed but recognisable: closer to its own image than to its neighbour's.
    per_sample = (0, 2, 3, 4) if task.time_steps else (1, 2, 3)
    sample_axis = 1 if task.time_steps else 0
    own = (augmented - plain).abs().sum(per_sample)
    wrong = (augmented - plain.roll(1, sample_axis)).abs().sum(per_sample)
    assert (own > 0).all() and own.mean() < 0.9 * wrong.mean()
    for split in (task.validation, task.test):
        with pytest.raises(ValueError, match=f"the {split.name} split has no augmentation"):
            split.batches(37, augment=True)


def test_samples_cannot_be_changed(task):
    with pytest.raises(AttributeError):
        task.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        task.train.labels[0] = 1
    before = task.test.sample(0)[0].clone()
    task.test.sample(0)[0].fill_(9)
    assert torch.equal(task.test.sample(0)[0], before)


@pytest.mark.parametrize("index", [-1, 100_000])
def test_an_index_outside_names_the_valid_range(task, index):
    last = len(task.test) - 1
    with pytest.raises(IndexError, match=f"sample {index} is not in the test .* 0 to {last}"):
        task.test.sample(index)


@pytest.mark.parametrize("indices", [[0.5], [True, False]])
def test_indices_are_integers(task, indices):
    with pytest.raises(TypeError, match="expected integers"):
        task.test.batch(indices)


@pytest.mark.parametrize("bad", [{"size": 0}, {"size": 3, "seed": -1}, {"size": 3, "epoch": -2}])
def test_batches_refuse_bad_numbers(task, bad):
    name, value = list(bad.items())[-1]
    with pytest.raises(ValueError, match=f"{name}={value}: expected an integer of at least"):
        task.test.batches(**bad)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mnist", {}, "unknown data 'mnist': expected one of digits, digits-events, match"),
        ("digits", {"T": 4}, "unknown option 'T' of data 'digits': it takes none"),
        ("match", {"delays": 4}, "expected one of cue_steps, delay_steps, probe_steps, delay"),
        ("match", {"cue_steps": 0}, "cue_steps=0: expected an integer of at least 1"),
        ("match", {"probe_steps": 1.5}, "probe_steps=1.5: expected an integer of at least 1"),
        ("match", {"delay_steps": -1}, "delay_steps=-1: expected an integer of at least 0"),
        ("match", {"delay": "white"}, "delay='white': expected one of blank, distractors"),
        ("match", {"noise": 2}, "noise=2: expected a standard deviation from 0 to 1"),
        ("digits-events", {"time_steps": 0}, "time_steps=0: expected an integer from 1 to 315"),
        ("digits-events", {"time_steps": 2.0}, "time_steps=2.0: expected an integer"),
    ],
)
def test_open_explains_what_it_refuses(name, options, message):
    with pytest.raises(ValueError) as error:
        dista.data.open(name, **options)
    assert message in str(error.value)


# --- digits and their augmentation --------------------------------------------------------------


def test_splits_are_disjoint_stratified_and_fixed():
    images, labels = load_digits()
    parts = split_indices(labels)
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(len(images)))
    for name, per_class in (("train", 360), ("validation", 40), ("test", 100)):
        assert (np.bincount(labels[parts[name]]) == per_class).all()
    # Shipped accuracies are worth something only while the test digits stay the same.
    assert parts["test"][:5].tolist() == FIRST_TEST_DIGITS


FIRST_TEST_DIGITS = [1433, 3819, 318, 4036, 513]


def test_no_digit_is_in_two_splits():
    task = dista.data.open("digits")
    seen = [{image.tobytes() for image in split.inputs.numpy()} for split in splits(task)]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


STILL = {"rotation": 0, "scale": (1, 1), "shear": 0, "translation": 0, "elastic": 0}


def test_a_warp_of_nothing_changes_nothing():
    images = torch.rand(3, 1, 7, 7)
    assert torch.allclose(Warp(**STILL)(images, seeded_generator(1)), images, atol=1e-5)
    counts = torch.randint(255, (3, 5, 2, 7, 7), dtype=torch.uint8)
    assert torch.equal(EventWarp(Warp(**STILL), silent=0)(counts, seeded_generator(1)), counts)


@pytest.mark.parametrize(
    "part",
    [{"rotation": 12}, {"scale": (0.8, 0.9)}, {"shear": 0.2}, {"translation": 2}, {"elastic": 1}],
)
def test_each_part_of_a_warp_moves_pixels(part):
    images = torch.rand(3, 1, 11, 11)
    moved = Warp(**STILL | part)(images, seeded_generator(1))
    assert (moved - images).abs().flatten(1).amax(1).min() > 0.01


def test_a_translation_moves_at_most_its_pixels():
    images = torch.zeros(53, 1, 21, 21)
    images[:, :, 10, 10] = 1
    moved = Warp(**STILL | {"translation": 3})(images, seeded_generator(2))
    rows = (moved.sum((1, 3)) * torch.arange(21)).sum(1)
    assert (rows - 10).abs().max() <= 3 and (rows - 10).abs().max() > 2
    assert torch.allclose(moved.sum((1, 2, 3)), torch.ones(53), atol=1e-4)


def test_scaling_up_enlarges():
    images = torch.zeros(1, 1, 21, 21)
    images[:, :, 8:13, 8:13] = 1
    area = {
        zoom: Warp(**STILL | {"scale": (zoom, zoom)})(images, seeded_generator(1)).sum()
        for zoom in (0.8, 1.3)
    }
    assert area[0.8] == pytest.approx(25 * 0.64, rel=0.05)
    assert area[1.3] == pytest.approx(25 * 1.69, rel=0.05)


# --- delayed match-to-sample --------------------------------------------------------------------


@pytest.mark.parametrize("delay", ["blank", "distractors"])
def test_match_labels_say_whether_the_classes_agree(delay):
    task = dista.data.open("match", delay=delay)
    assert task.classes == ("different", "same")
    assert task.step_labels == ("cue",) * 2 + ("delay",) * 4 + ("probe",) * 2
    for split in splits(task):
        digits = split.step_digits
        assert np.array_equal(digits[:, 0] == digits[:, 7], split.labels == 1)
        assert split.labels.mean() == 0.5
        assert (digits[:, 0] == digits[:, 1]).all() and (digits[:, 6] == digits[:, 7]).all()
        assert ((digits[:, 2:6] == -1) == (delay == "blank")).all()
        # Neither digit alone tells the answer: classes are even within both labels.
        for label, column in ((0, 0), (0, 7), (1, 0)):
            counts = np.bincount(digits[split.labels == label, column], minlength=10)
            assert counts.max() - counts.min() <= 0.2 * counts.mean()


def test_match_frames_show_what_step_digits_says():
    options = {"cue_steps": 1, "delay_steps": 3, "probe_steps": 2, "noise": 0.0}
    task = dista.data.open("match", delay="distractors", **options)
    source = dista.data.open("digits").validation
    labels = {
        image.numpy().tobytes(): int(label) for image, label in map(source.sample, range(400))
    }
    for index in range(53):
        frames, _ = task.validation.sample(index)
        shown = [labels[frame.numpy().tobytes()] for frame in frames]
        assert shown == task.validation.step_digits[index].tolist()


def test_matching_digits_are_never_the_same_image():
    labels = np.repeat(np.arange(10), 3)  # three digits a class: collisions would be common
    shown, matches = draw_pairs(labels, 2000, 5, frozen_random(1))
    assert (shown[:, 0] != shown[:, -1]).all()
    assert (shown[:, 1:-1] != shown[:, :1]).all() and (shown[:, 1:-1] != shown[:, -1:]).all()
    assert set(shown[:, 1:-1].ravel()) == set(range(30))
    assert np.array_equal(labels[shown[:, 0]] == labels[shown[:, -1]], matches == 1)


def test_training_pairs_are_fresh_every_epoch_and_the_others_fixed():
    task = dista.data.open("match")
    assert same(one(task.train), task.train.batch(range(37)))
    assert not torch.equal(one(task.train, epoch=1)[0], one(task.train)[0])
    assert same(one(task.test, epoch=1), one(task.test, epoch=2))


def test_augmented_cue_is_one_image_and_blanks_stay_empty():
    x, _ = one(dista.data.open("match", noise=0.0).train, augment=True)
    assert torch.equal(x[0], x[1]) and torch.equal(x[6], x[7])
    assert x[2:6].abs().sum() == 0


def test_noise_fills_blanks_and_belongs_to_the_sample():
    split = dista.data.open("match", noise=0.1).test
    x, _ = split.batch([3, 4])
    assert torch.equal(split.sample(4)[0], x[:, 1])
    blank = x[2:6]
    assert (blank > 0).float().mean() == pytest.approx(0.5, abs=0.03)
    assert not torch.equal(blank[0], blank[1]) and not torch.equal(blank[0, 0], blank[0, 1])


# --- the cache ----------------------------------------------------------------------------------


def test_arrays_are_made_once_and_again_when_the_file_is_broken(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"numbers": np.arange(7)}

    for _ in range(2):
        assert cached_arrays("seven", make, tmp_path)["numbers"].tolist() == list(range(7))
    assert len(made) == 1
    (tmp_path / "seven.npz").write_bytes(b"PK broken")
    assert cached_arrays("seven", make, tmp_path)["numbers"].tolist() == list(range(7))
    assert len(made) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seven.npz", "seven.npz.lock"]


def test_a_folder_that_cannot_be_written_is_tolerated(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    arrays = cached_arrays("three", lambda: {"numbers": np.arange(3)}, tmp_path / "file" / "in")
    assert arrays["numbers"].tolist() == [0, 1, 2]


def test_the_cache_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "dista"
    assert cache_folder(tmp_path / "own") == tmp_path / "own"
