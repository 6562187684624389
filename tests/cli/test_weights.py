"""`acutance weights`: only the publisher's file is kept, and nothing in it is run."""

import hashlib
import io
import json
import pickle
from dataclasses import replace
from email.message import Message

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from acutance.cli.weights import weights
from acutance.errors import InputError, RunError
from acutance.losses.features import fetching
from acutance.losses.features.conversion import add
from acutance.losses.features.weights import KNOWN, places, shapes_of, stored_shapes, user_folder


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    place = tmp_path / "weights"
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(place))
    monkeypatch.delenv("ACUTANCE_DATA", raising=False)
    return place


def heads(name="lpips_alex", *, published=False):
    """Made-up heads, by our names or by those of the authors' files."""
    generator = torch.Generator().manual_seed(0)
    return {
        key.replace(".weight", ".model.1.weight") if published else key: torch.rand(
            shape, generator=generator
        )
        for key, shape in shapes_of(name).items()
    }


class Answer(io.BytesIO):
    headers = Message()


@pytest.fixture
def publisher(monkeypatch):
    """A stand-in for the network; `publish` says what lies at the address and its true digest."""
    asked = []

    def publish(content, *, sha256=None, name="lpips_alex"):
        digest = sha256 or hashlib.sha256(content).hexdigest()
        monkeypatch.setitem(KNOWN, name, replace(KNOWN[name], sha256=digest))

        def open_url(url, *, timeout):
            assert timeout > 0
            asked.append(url)
            return Answer(content)

        monkeypatch.setattr(fetching, "open_url", open_url)
        return asked

    return publish


def saved(tensors):
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()


def test_get_checks_converts_and_keeps_what_losses_use(publisher, folder):
    asked = publisher(saved(heads(published=True)))
    result = CliRunner().invoke(weights, ["get", "lpips_alex"], catch_exceptions=False)
    assert result.exit_code == 0
    assert asked == [KNOWN["lpips_alex"].url]
    assert [path.name for path in folder.iterdir()] == ["lpips_alex.safetensors"]
    kept = load_file(folder / "lpips_alex.safetensors")
    for name, tensor in heads().items():
        torch.testing.assert_close(kept[name], tensor, rtol=0, atol=0)
    listed = CliRunner().invoke(weights, ["list", "--json"], catch_exceptions=False)
    states = {entry["name"]: entry["here"] for entry in json.loads(listed.stdout)}
    assert states["lpips_alex"] == "yes"
    assert states["vgg19"] == "no"


def test_another_file_is_refused_and_nothing_stays(publisher, folder):
    publisher(saved(heads(published=True)), sha256="0" * 64)
    with pytest.raises(RunError, match="is not the file it should be"):
        fetching.fetch("lpips_alex")
    assert list(folder.iterdir()) == []


def test_a_broken_line_leaves_nothing(monkeypatch, folder):
    class Broken(Answer):
        def read(self, *_size):
            raise TimeoutError("timed out")

    monkeypatch.setattr(fetching, "open_url", lambda *_url, **_options: Broken(b""))
    with pytest.raises(RunError, match=r"could not be loaded: timed out.*acutance weights add"):
        fetching.fetch("lpips_alex")
    assert list(folder.iterdir()) == []


def test_a_wrong_file_does_not_replace_a_good_one(publisher, folder):
    publisher(saved(heads(published=True)))
    good = fetching.fetch("lpips_alex").read_bytes()
    publisher(b"other", sha256="0" * 64)
    with pytest.raises(RunError):
        fetching.fetch("lpips_alex")
    assert (folder / "lpips_alex.safetensors").read_bytes() == good


class Harm:
    def __reduce__(self):
        return (open, ("/tmp/should-not-exist-acutance", "w"))


def test_a_pickle_that_would_run_a_program_is_not_run(publisher, folder, tmp_path, monkeypatch):
    target = tmp_path / "ran"
    monkeypatch.setattr(Harm, "__reduce__", lambda _self: (open, (str(target), "w")))
    content = pickle.dumps({"lin0.model.1.weight": Harm()})
    publisher(content)
    with pytest.raises(InputError):
        fetching.fetch("lpips_alex")
    file = tmp_path / "weights.pth"
    file.write_bytes(content)
    with pytest.raises(InputError):
        add(file)
    assert not target.exists()
    assert list(folder.iterdir()) == []


def test_every_address_is_https_and_every_digest_whole():
    for entry in KNOWN.values():
        assert entry.url.startswith("https://")
        assert len(bytes.fromhex(entry.sha256)) == 32
        published = entry.url.rpartition("-")[2].removesuffix(".pth")
        if "pytorch.org" in entry.url:  # torchvision's names end with the first eight digits
            assert entry.sha256.startswith(published)


@pytest.mark.parametrize("name", ["squeezenet1_1", "lpips_vgg", "lpips_squeeze"])
@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_add_recognises_a_file_by_its_layers(folder, tmp_path, name, ending):
    tensors = {key: torch.rand(shape) for key, shape in shapes_of(name).items()}
    if name == "squeezenet1_1":
        tensors["classifier.1.weight"] = torch.rand(10, 512, 1, 1)  # not ours to keep
    file = tmp_path / f"some name{ending}"
    if ending == ".pth":
        file.write_bytes(saved(tensors))
    else:
        save_file(tensors, file)
    assert add(file) == (name, folder / f"{name}.safetensors")
    assert stored_shapes(places(name)[0]) == shapes_of(name)


def test_add_refuses_what_it_does_not_know(tmp_path, folder):
    file = tmp_path / "part.safetensors"
    save_file({"features.0.weight": torch.rand(64, 3, 3, 3)}, file)
    with pytest.raises(InputError, match="holds none of alexnet, vgg16, vgg19"):
        add(file)
    with pytest.raises(InputError, match="There is no file"):
        add(tmp_path / "nothing.pth")
    other = tmp_path / "weights.bin"
    other.write_bytes(b"")
    with pytest.raises(InputError, match=r"neither \.safetensors nor \.pth"):
        add(other)
    assert not folder.exists()


def test_vgg16_and_vgg19_are_told_apart():
    """Of shapes alone, for their files are large."""
    small, large = shapes_of("vgg16"), shapes_of("vgg19")
    assert any(key not in small or small[key] != shape for key, shape in large.items())
    assert any(key not in large or large[key] != shape for key, shape in small.items())


def test_the_users_folder_follows_the_platform(monkeypatch, tmp_path):
    assert user_folder().name == "weights"
    monkeypatch.delenv("ACUTANCE_WEIGHTS")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "acutance" / "weights"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_folder() == tmp_path / ".local" / "share" / "acutance" / "weights"


def test_a_name_that_is_none_gets_the_nearest(run_acutance):
    result = run_acutance("weights", "get", "vgg91")
    assert result.returncode == 2
    assert "Did you mean 'vgg19'?" in result.stderr
