"""The life of a machine, told to the emulator by Linode's own Python library.

usage: linode_lifecycle.py URL TOKEN

Every story is a function; it prints a line when all it saw was right.
"""

import base64
import json
import sys
import urllib.request
from contextlib import contextmanager

import polling
from linode_api4 import LinodeClient
from linode_api4.errors import ApiError
from linode_api4.objects import (
    Config,
    Disk,
    Domain,
    Firewall,
    FirewallDevice,
    Image,
    Instance,
    IPAddress,
    Kernel,
    Region,
    ReservedIPAddress,
    Type,
    Volume,
)
from linode_api4.objects.filtering import and_, or_

REGION = "fr-par"
TYPE = "g6-standard-2"
IMAGE = "linode/ubuntu24.04"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f player@home"
TAG = "in:default.pad"
# Cloud time runs a thousand times faster than the clock on the wall.
STEP = 0.05
PATIENCE = 30


def equal(seen, wanted):
    assert seen == wanted, f"saw {seen!r} in place of {wanted!r}"


@contextmanager
def refused(status, *reasons, field=None):
    """The library must raise its own exception, with this status, these reasons and, if one is given, this field."""
    try:
        yield
    except ApiError as error:
        fields = {it.get("field") for it in error.json["errors"]}
        equal((error.status, tuple(error.errors), field is None or field in fields), (status, reasons, True))
    else:
        raise AssertionError(f"not refused with {status} {reasons}")


def until(fetch, right):
    """Looks until what it sees is right, and gives it."""
    seen = []

    def look():
        seen[:] = [fetch()]
        return right(seen[0])

    polling.poll(look, step=STEP, timeout=PATIENCE)
    return seen[0]


class Hands:
    """What the stories do with the cloud."""

    def __init__(self, url, token):
        self.url = url
        self.client = LinodeClient(token, base_url=f"{url}/v4", retry_rate_limit_interval=0.01)
        self.hasty = LinodeClient(token, base_url=f"{url}/v4", retry=False)

    def admin(self, path, body):
        request = urllib.request.Request(f"{self.url}/_emulator/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def fresh(self, kind, *ids):
        """The object as it is now."""
        return self.client.load(kind, *ids)

    def poller(self, action, entity=None):
        return self.client.polling.event_poller_create("linode", action, entity_id=entity)

    def finished(self, poller):
        """Waits with the library's own poller for the next event of its kind to end well."""
        return poller.wait_for_next_event_finished(timeout=PATIENCE, interval=STEP)

    def in_time(self, call):
        """Calls until no job is in the way."""

        def attempt():
            try:
                return [call()]
            except ApiError as error:
                equal((error.status, error.errors), (400, ["Linode busy."]))
                return None

        return polling.poll(attempt, step=STEP, timeout=PATIENCE)[0]

    def status(self, wanted):
        until(lambda: self.fresh(Instance, self.id).status, lambda it: it == wanted)


class Stories(Hands):
    """In the order in which they are told."""

    def catalogue_is_told(self):
        kind = self.fresh(Type, TYPE)
        equal((kind.memory, kind.vcpus, kind.disk, kind.gpus), (4096, 2, 81920, 0))
        assert any(it.gpus and "g2-gpu-rtx4000a1-s" == it.id for it in self.client.linode.types()), "no GPU type"
        region = self.fresh(Region, REGION)
        equal((region.country, region.status, "Linodes" in region.capabilities), ("fr", "ok", True))
        image = self.fresh(Image, IMAGE)
        equal((image.status, image.is_public, "cloud-init" in image.capabilities), ("available", True, True))
        equal(self.fresh(Kernel, "linode/grub2").id, "linode/grub2")
        assert len(list(self.client.linode.kernels())) > 100, "the kernels come in pages"
        equal([it.id for it in self.client.images(Image.label == image.label)], [IMAGE])
        assert not any(it.is_public for it in self.client.images(Image.is_public == False)), "only private ones were asked for"  # noqa: E712

    def firewall_is_made_first(self):
        rule = {"action": "ACCEPT", "protocol": "TCP", "ports": "22, 47984-48010", "label": "play", "addresses": {"ipv4": ["0.0.0.0/0"], "ipv6": ["::/0"]}}
        rules = {"inbound": [rule], "inbound_policy": "DROP", "outbound_policy": "ACCEPT"}
        firewall = self.client.networking.firewall_create("pad-fw", rules, tags=[TAG])
        equal((firewall.status, firewall.rules.version, firewall.tags), ("enabled", 1, [TAG]))
        before = firewall.rules.fingerprint
        changed = {**rules, "inbound": [{**rule, "ports": "22"}]}
        firewall.update_rules(changed)
        rules = self.fresh(Firewall, firewall.id).rules
        equal((rules.version, rules.inbound[0].ports), (2, "22"))
        assert rules.fingerprint != before, "other rules, same fingerprint"
        with refused(400, "Label must be unique among your Cloud Firewalls", field="label"):
            self.client.networking.firewall_create("pad-fw", {"inbound_policy": "DROP", "outbound_policy": "ACCEPT"})
        self.firewall = firewall.id

    def volume_is_made(self):
        volume = self.client.volume_create("pad-data", region=REGION, size=20, tags=[TAG])
        equal((volume.status, volume.linode_id, volume.filesystem_path), ("creating", None, "/dev/disk/by-id/scsi-0Linode_Volume_pad-data"))
        until(lambda: self.fresh(Volume, volume.id).status, lambda it: it == "active")
        self.volume = volume.id

    def address_is_reserved(self):
        address = self.client.networking.reserved_ip_create(REGION, tags=[TAG])
        equal((address.reserved, address.linode_id, address.region.id), (True, None, REGION))
        equal([it.address for it in self.client.networking.reserved_ips()], [address.address])
        self.address = address.address

    def linode_is_created_behind_its_firewall(self):
        created = self.poller("linode_create")
        linode = self.client.linode.instance_create(
            TYPE,
            REGION,
            image=IMAGE,
            label="pad",
            authorized_keys=[KEY],
            booted=False,
            boot_size=30720,
            swap_size=512,
            kernel="linode/grub2",
            firewall=self.firewall,
            interface_generation="legacy_config",
            disk_encryption="enabled",
            tags=[TAG, "role:server"],
            ipv4=[self.address],
            metadata={"user_data": base64.b64encode(b"#cloud-config\n").decode()},
        )
        equal((linode.status, linode.type.id, linode.watchdog_enabled, linode.has_user_data), ("provisioning", TYPE, True, True))
        equal((linode.ipv4, sorted(linode.tags)), ([self.address], [TAG, "role:server"]))
        self.id = linode.id
        created.set_entity_id(linode.id)
        event = self.finished(created)
        equal((event.action, event.entity.id, event.status, event.percent_complete), ("linode_create", linode.id, "finished", 100))
        self.status("offline")

    def firewall_knows_its_linode(self):
        devices = self.fresh(Firewall, self.firewall).devices
        equal([(it.entity.id, it.entity.type) for it in devices], [(self.id, "linode")])
        equal([it.id for it in self.fresh(Instance, self.id).firewalls()], [self.firewall])
        equal(self.fresh(FirewallDevice, devices[0].id, self.firewall).entity.label, "pad")

    def disks_and_config_are_as_asked(self):
        linode = self.fresh(Instance, self.id)
        disks = until(lambda: list(self.fresh(Instance, self.id).disks), lambda it: len(it) == 2 and all(disk.status == "ready" for disk in it))
        equal([(it.filesystem, it.size) for it in disks], [("ext4", 30720), ("swap", 512)])
        [config] = linode.configs
        equal((config.kernel.id, config.root_device, config.devices.sda.id), ("linode/grub2", "/dev/sda", disks[0].id))
        self.root, self.config = disks[0].id, config.id

    def reserved_address_is_in_use(self):
        own = self.fresh(Instance, self.id).ips.ipv4
        equal([(it.address, it.reserved) for it in own.public], [(self.address, True)])
        equal(self.fresh(ReservedIPAddress, self.address).linode_id, self.id)
        with refused(400, "Address must be currently unassigned.", field="ipv4"):
            self.client.linode.instance_create(TYPE, REGION, label="other", ipv4=[self.address])

    def watchdog_is_turned_off(self):
        linode = self.fresh(Instance, self.id)
        linode.watchdog_enabled = False
        linode.tags = [TAG]
        linode.save()
        linode = self.fresh(Instance, self.id)
        equal((linode.watchdog_enabled, linode.tags), (False, [TAG]))

    def volume_is_attached_while_off(self):
        volume = self.fresh(Volume, self.volume)
        volume.attach(self.id)
        volume = until(lambda: self.fresh(Volume, self.volume), lambda it: it.linode_id == self.id)
        equal(volume.linode_label, "pad")
        equal([it.id for it in self.fresh(Instance, self.id).volumes()], [self.volume])
        equal(self.fresh(Config, self.config, self.id).devices.sdc.id, self.volume)

    def linode_boots(self):
        booted = self.poller("linode_boot", self.id)
        self.fresh(Instance, self.id).boot()
        self.status("running")
        equal(self.finished(booted).status, "finished")
        until(lambda: self.client.get(f"/volumes/{self.volume}")["io_ready"], lambda it: it is True)

    def jobs_wait_for_one_another(self):
        self.in_time(lambda: self.fresh(Instance, self.id).reboot())
        with refused(400, "Linode busy."):
            self.hasty.load(Instance, self.id).disk_create(512, label="scratch", filesystem="raw")
        self.client.polling.wait_for_entity_free("linode", self.id, timeout=PATIENCE, interval=STEP)
        self.status("running")

    def volume_grows_while_in_use(self):
        self.fresh(Volume, self.volume).resize(30)
        volume = until(lambda: self.fresh(Volume, self.volume), lambda it: it.status == "active")
        equal((volume.size, volume.linode_id), (30, self.id))

    def root_is_captured_while_off(self):
        stopped = self.poller("linode_shutdown", self.id)
        self.in_time(lambda: self.fresh(Instance, self.id).shutdown())
        self.status("offline")
        self.finished(stopped)
        imagized = self.poller("disk_imagize", self.id)
        image = self.in_time(lambda: self.client.images.create(self.root, label="pad-root", description="r7", tags=[TAG, "role:root"]))
        equal((image.status, image.type, image.is_public), ("creating", "manual", False))
        equal(sorted(image.tags), [TAG, "role:root"])
        event = self.finished(imagized)
        equal((event.secondary_entity.type, f"private/{event.secondary_entity.id}"), ("image", image.id))
        done = until(lambda: self.fresh(Image, image.id), lambda it: it.status == "available")
        assert 0 < done.size < 30720, done.size
        equal([it.id for it in self.client.images(Image.tags == TAG)], [image.id])
        self.image, self.image_size = image.id, done.size

    def deleting_leaves_volume_and_address(self):
        deleted = self.poller("linode_delete", self.id)
        self.in_time(lambda: self.fresh(Instance, self.id).delete())
        self.finished(deleted)
        with refused(404, "Not found"):
            self.fresh(Instance, self.id)
        until(lambda: self.fresh(Volume, self.volume).linode_id, lambda it: it is None)
        equal(self.fresh(ReservedIPAddress, self.address).assigned_entity, None)
        equal(list(self.fresh(Firewall, self.firewall).devices), [])

    def linode_comes_back_from_its_image(self):
        linode = self.client.linode.instance_create(
            TYPE, REGION, image=self.image, label="pad", authorized_keys=[KEY], booted=False, boot_size=30720, firewall=self.firewall, ipv4=[self.address]
        )
        equal((linode.image.id, linode.ipv4), (self.image, [self.address]))
        self.id = linode.id
        self.status("offline")
        self.client.polling.wait_for_entity_free("linode", self.id, timeout=PATIENCE, interval=STEP)
        self.fresh(Volume, self.volume).attach(self.id)
        self.in_time(lambda: self.fresh(Instance, self.id).boot())
        self.status("running")

    def disks_are_made_and_resized(self):
        empty = self.client.linode.instance_create(TYPE, REGION, label="bench", booted=False)
        self.client.polling.wait_for_entity_free("linode", empty.id, timeout=PATIENCE, interval=STEP)
        disk = self.in_time(lambda: self.fresh(Instance, empty.id).disk_create(1024, label="scratch", filesystem="ext4"))
        equal(disk.status, "not ready")
        until(lambda: [it.status for it in self.fresh(Instance, empty.id).disks], lambda it: it == ["ready"])
        self.in_time(lambda: self.fresh(Disk, disk.id, empty.id).resize(2048))
        until(lambda: [(it.size, it.status) for it in self.fresh(Instance, empty.id).disks], lambda it: it == [(2048, "ready")])
        config = self.fresh(Instance, empty.id).config_create(label="bare", kernel="linode/latest-64bit", disks=[disk.id])
        equal(self.fresh(Config, config.id, empty.id).devices.sda.id, disk.id)
        config = self.fresh(Config, config.id, empty.id)
        config.label = "barer"
        config.save()
        equal([it.label for it in self.fresh(Instance, empty.id).configs], ["barer"])
        self.in_time(lambda: self.fresh(Disk, disk.id, empty.id).delete())
        self.client.polling.wait_for_entity_free("linode", empty.id, timeout=PATIENCE, interval=STEP)
        self.in_time(lambda: self.fresh(Instance, empty.id).delete())

    def lists_are_filtered(self):
        instances = lambda *filters: [it.id for it in self.client.linode.instances(*filters)]  # noqa: E731
        equal(instances(Instance.label == "pad"), [self.id])
        equal(instances(Instance.label == "nobody"), [])
        equal(instances(Instance.label.contains("pa")), [self.id])
        equal(instances(and_(Instance.label == "pad", Instance.region == REGION)), [self.id])
        equal(instances(or_(Instance.label == "nobody", Instance.label == "pad")), [self.id])
        equal([it.id for it in self.client.volumes(Volume.tags == TAG)], [self.volume])
        with refused(400, "Cannot filter on status", field="X-Filter"):
            self.client.get("/linode/instances", filters={"status": "running"})

    def records_lead_to_the_machine(self):
        with refused(400, "soa_email required when type=master", field="soa_email"):
            self.client.post("/domains", data={"domain": "pad.example.com", "type": "master"})
        domain = self.client.domain_create("pad.example.com", soa_email="me@example.com")
        record = domain.record_create("A", name="play", target=self.address, ttl_sec=200)
        equal((record.target, record.ttl_sec), (self.address, 300))
        record.target = "192.0.2.1"
        record.save()
        equal([(it.name, it.target) for it in self.fresh(Domain, domain.id).records], [("play", "192.0.2.1")])
        equal([it.id for it in self.client.domains(Domain.domain == "pad.example.com")], [domain.id])
        record.delete()
        domain.delete()

    def addresses_tell_whose_they_are(self):
        address = self.fresh(IPAddress, self.address)
        equal((address.linode_id, address.reserved, address.type, address.prefix), (self.id, True, "ipv4", 24))
        assert self.address in [it.address for it in self.client.networking.ips()]

    def settings_are_told(self):
        settings = self.client.account.settings()
        assert settings.interfaces_for_new_linodes in ("legacy_config_default_but_linode_allowed", "legacy_config_only"), settings.interfaces_for_new_linodes
        equal(self.client.networking.firewall_settings().default_firewall_ids.linode, None)

    def events_tell_the_story(self):
        actions = {it.action for it in self.client.account.events()}
        assert {"linode_create", "linode_boot", "disk_imagize", "volume_attach", "linode_delete"} <= actions, actions
        newest = self.client.get("/account/events", filters={"+order_by": "created", "+order": "desc"})["data"]
        ids = [it["id"] for it in newest]
        equal(ids, sorted(ids, reverse=True))

    def what_is_wrong_is_told(self):
        with refused(404, "Not found"):
            self.fresh(Instance, 1)
        with refused(404, "Not found"):
            self.fresh(Image, "private/1")
        with refused(400, "Label must be unique among your linodes", field="label"):
            self.client.linode.instance_create(TYPE, REGION, label="pad")
        with refused(400, "region is not valid", field="region"):
            self.client.linode.instance_create(TYPE, "xx-nowhere", label="other")
        with refused(400, "Must provide valid root_pass, authorized_keys, or authorized_users"):
            self.client.post("/linode/instances", data={"type": TYPE, "region": REGION, "image": IMAGE})
        with refused(400, "Must be 10-16384", field="size"):
            self.client.volume_create("small", region=REGION, size=1)
        with refused(400, "Length must be 3-50 characters"):
            self.client.volume_create("tagged", region=REGION, tags=["ab"])

    def strangers_are_kept_out(self):
        stranger = LinodeClient("wrong", base_url=f"{self.url}/v4", retry=False)
        with refused(401, "Invalid Token"):
            stranger.get("/linode/instances")
        # The library does not go without a token; what is for everybody does.
        with urllib.request.urlopen(f"{self.url}/v4/regions") as answer:
            assert len(json.load(answer)["data"]) > 10, "regions are for everybody"

    def haste_is_limited(self):
        self.admin("faults", {"operation": "GET /volumes", "what": "rate-limited", "times": 1, "skip": 0})
        with refused(429, "Too many requests"):
            self.hasty.get("/volumes")
        # The library waits as it is told to, and tries again.
        self.admin("faults", {"operation": "GET /volumes", "what": "rate-limited", "times": 1, "skip": 0})
        equal([it.id for it in self.client.volumes()], [self.volume])

    def full_plans_are_refused(self):
        self.admin("faults", {"operation": "POST /linode/instances", "what": "out-of-stock", "times": 1, "skip": 0})
        try:
            self.hasty.linode.instance_create(TYPE, REGION, label="other")
            raise AssertionError("created where there was no room")
        except ApiError as error:
            equal(error.status, 403)
            assert "not currently available in the selected region" in error.errors[0], error.errors

    def nothing_is_left(self):
        self.in_time(lambda: self.fresh(Instance, self.id).delete())
        until(lambda: list(self.client.linode.instances()), lambda it: it == [])
        until(lambda: self.fresh(Volume, self.volume).linode_id, lambda it: it is None)
        self.fresh(Volume, self.volume).delete()
        self.fresh(Image, self.image).delete()
        self.fresh(Firewall, self.firewall).delete()
        self.fresh(ReservedIPAddress, self.address).delete()
        until(lambda: list(self.client.volumes()), lambda it: it == [])
        equal(list(self.client.networking.firewalls()), [])
        equal(list(self.client.networking.reserved_ips()), [])
        equal(list(self.client.images(Image.is_public == False)), [])  # noqa: E712


def main():
    url, token = sys.argv[1:]
    stories = Stories(url.rstrip("/"), token)
    for name in [name for name in vars(Stories) if not name.startswith("_")]:
        try:
            getattr(stories, name)()
        except Exception:
            print(f"failed  {name.replace('_', ' ')}", flush=True)
            raise
        print(f"ok      {name.replace('_', ' ')}", flush=True)


if __name__ == "__main__":
    main()
