"""The life of a machine, told to the emulator by Scaleway's own SDK.

usage: scaleway_lifecycle.py URL TOKEN

Every story is a function; it prints a line when all it saw was right.
"""

import json
import sys
import urllib.request
from contextlib import contextmanager

from requests.exceptions import JSONDecodeError
from scaleway import Client
from scaleway.block.v1 import BlockV1API, CreateVolumeRequestFromEmpty, CreateVolumeRequestFromSnapshot
from scaleway.iam.v1alpha1 import IamV1Alpha1API
from scaleway.instance.v1 import VolumeServerTemplate
from scaleway.instance.v1.custom_api import InstanceUtilsV1API
from scaleway.marketplace.v2 import MarketplaceV2API
from scaleway_core.api import ScalewayException
from scaleway_core.utils import WaitForOptions, wait_for_resource

ZONE = "fr-par-2"
PROJECT = "5b5a8c1e-9f5f-4f0e-8f53-0d4e2f7d6a11"
TYPE = "L4-1-24G"
GB = 1_000_000_000


def client(url, token):
    return Client(
        access_key="SCWXXXXXXXXXXXXXXXXX",
        secret_key=token,
        api_url=url,
        default_project_id=PROJECT,
        default_zone=ZONE,
        default_region="fr-par",
    )


@contextmanager
def refused(status, kind, **details):
    """The SDK must raise its own exception, with this status and this type of error."""
    try:
        yield
    except ScalewayException as error:
        body = error.response.json()
        seen = (error.status_code, body.get("type"), {key: body.get(key) for key in details})
        assert seen == (status, kind, details), f"refused otherwise: {seen} {body}"
    else:
        raise AssertionError(f"not refused with {status} {kind}")


def equal(seen, wanted):
    assert seen == wanted, f"saw {seen!r} in place of {wanted!r}"


class Hands:
    """What the stories do with the cloud."""

    def __init__(self, url, token):
        self.url = url
        mine = client(url, token)
        self.instance = InstanceUtilsV1API(mine)
        self.block = BlockV1API(mine)
        self.market = MarketplaceV2API(mine)
        self.keys = IamV1Alpha1API(mine)

    def admin(self, path, body):
        request = urllib.request.Request(f"{self.url}/_emulator/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def server(self, server_id):
        return self.instance.get_server(zone=ZONE, server_id=server_id).server

    def settled(self, server_id):
        """Waits with the SDK's waiter until the server is in a state that lasts, and gives that state."""
        lasting = {"running", "stopped", "stopped in place", "locked"}
        options = WaitForOptions(timeout=30, min_delay=1, max_delay=1, stop=lambda it: it.server.state in lasting)
        return wait_for_resource(self.instance.get_server, options, {"zone": ZONE, "server_id": server_id}).server.state

    def act(self, server_id, action, until):
        task = self.instance.server_action(zone=ZONE, server_id=server_id, action=action).task
        equal(task.status, "pending")
        equal(self.settled(server_id), until)

    def quiet_volume(self, volume_id):
        """Waits with the SDK's waiter until nothing uses the volume."""
        options = WaitForOptions(timeout=60, min_delay=1, max_delay=1, stop=lambda it: it.status == "available" and not it.references)
        return self.block.wait_for_volume(volume_id=volume_id, zone=ZONE, options=options)

    def gone(self, server_id):
        def fetch(**arguments):
            try:
                return self.instance.get_server(**arguments)
            except ScalewayException as error:
                equal((error.status_code, error.response.json()["resource"]), (404, "instance_server"))
                return None

        options = WaitForOptions(timeout=30, min_delay=1, max_delay=1, stop=lambda it: it is None)
        wait_for_resource(fetch, options, {"zone": ZONE, "server_id": server_id})


class Stories(Hands):
    """In the order in which they are told."""

    def key_is_registered(self):
        text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
        key = self.keys.create_ssh_key(name="pad", public_key=f"{text} player@home\n", project_id=PROJECT)
        equal(key.public_key, text)
        equal([it.id for it in self.keys.list_ssh_keys_all(name="pad")], [key.id])
        self.keys.delete_ssh_key(ssh_key_id=key.id)

    def label_becomes_image(self):
        images = self.market.list_local_images_all(image_label="ubuntu_jammy_gpu_os_12", zone=ZONE, type_="instance_sbs")
        image = next(it for it in images if it.arch == "x86_64")
        assert TYPE in image.compatible_commercial_types, image.compatible_commercial_types
        self.image = image.id
        stock = self.instance.get_server_types_availability(zone=ZONE, per_page=100).servers
        equal(stock[TYPE].availability, "available")

    def server_is_created(self):
        data = self.block.create_volume(
            zone=ZONE, name="pad-data", project_id=PROJECT, perf_iops=5000, tags=["pad", "data"], from_empty=CreateVolumeRequestFromEmpty(size=50 * GB)
        )
        equal(data.status, "creating")
        equal(self.block.wait_for_volume(volume_id=data.id, zone=ZONE).status, "available")
        ip = self.instance.create_ip(zone=ZONE, project=PROJECT, type_="routed_ipv4", tags=["pad"]).ip
        server = self.instance.create_server(
            zone=ZONE,
            name="pad",
            commercial_type=TYPE,
            image=self.image,
            project=PROJECT,
            dynamic_ip_required=False,
            public_ips=[ip.id],
            tags=["pad", "in:default.pad"],
            volumes={
                "0": VolumeServerTemplate(volume_type="sbs_volume", size=30 * GB),
                "1": VolumeServerTemplate(volume_type="sbs_volume", id=data.id, size=None, boot=None),
            },
        ).server
        equal((server.state, server.commercial_type, server.allowed_actions), ("stopped", TYPE, ["poweron", "backup"]))
        equal([it.address for it in server.public_ips], [ip.address])
        equal(sorted(server.volumes), ["0", "1"])
        equal(server.volumes["1"].id, data.id)
        self.id, self.root, self.data, self.ip = server.id, server.volumes["0"].id, data.id, ip

    def root_is_tagged(self):
        root = self.block.get_volume(volume_id=self.root, zone=ZONE)
        equal((root.size, root.tags, root.status), (30 * GB, [], "in_use"))
        equal([(it.product_resource_id, it.type_) for it in root.references], [(self.id, "exclusive")])
        root = self.block.update_volume(volume_id=self.root, zone=ZONE, name="pad-root", tags=["pad", "root"])
        equal((root.name, root.tags), ("pad-root", ["pad", "root"]))

    def user_data_is_kept(self):
        text = b"#cloud-config\npackages: [steam]\n"
        self.instance.set_server_user_data(server_id=self.id, key="cloud-init", content=text, zone=ZONE)
        equal(self.instance.get_all_server_user_data(server_id=self.id, zone=ZONE).user_data, {"cloud-init": text})

    def server_starts(self):
        self.act(self.id, "poweron", "running")
        server = self.server(self.id)
        equal(server.allowed_actions, ["poweroff", "terminate", "reboot", "stop_in_place", "backup"])
        assert server.location is not None

    def wrong_moment_is_refused(self):
        with refused(400, "precondition_failed", precondition="resource_not_usable"):
            self.instance.server_action(zone=ZONE, server_id=self.id, action="poweron")
        with refused(412, "precondition_failed"):
            self.block.delete_volume(volume_id=self.data, zone=ZONE)

    def disk_grows_while_in_use(self):
        equal(self.block.update_volume(volume_id=self.data, zone=ZONE, size=55 * GB).size, 50 * GB)
        grown = self.block.wait_for_volume(volume_id=self.data, zone=ZONE)
        equal((grown.size, grown.status), (55 * GB, "in_use"))

    def lists_filter_by_tags(self):
        servers = lambda *tags: [it.id for it in self.instance.list_servers_all(zone=ZONE, tags=list(tags))]  # noqa: E731
        equal((servers("pad", "in:default.pad"), servers("pad", "other")), ([self.id], []))
        volumes = lambda *tags: [it.id for it in self.block.list_volumes_all(include_deleted=False, zone=ZONE, tags=list(tags))]  # noqa: E731
        equal((set(volumes("data", "root")), volumes("root", "other"), volumes("other")), ({self.data, self.root}, [self.root], []))
        equal([it.id for it in self.instance.list_ips_all(zone=ZONE, tags=["pad"])], [self.ip.id])

    def server_stops(self):
        self.act(self.id, "poweroff", "stopped")
        equal(self.server(self.id).location, None)

    def disks_are_snapshotted(self):
        self.instance.detach_server_volume(zone=ZONE, server_id=self.id, volume_id=self.data)
        quiet = self.quiet_volume(self.data)
        assert quiet.last_detached_at is not None
        self.copies = {}
        for role, volume in (("root", self.root), ("data", self.data)):
            copy = self.block.create_snapshot(zone=ZONE, volume_id=volume, name=f"pad-{role}", project_id=PROJECT, tags=["pad", role], public=False)
            equal(copy.status, "creating")
            self.copies[role] = self.block.wait_for_snapshot(snapshot_id=copy.id, zone=ZONE)
            equal((self.copies[role].status, self.copies[role].parent_volume.id), ("available", volume))

    def server_and_disks_are_deleted(self):
        self.instance.delete_server(zone=ZONE, server_id=self.id)
        self.gone(self.id)
        for volume in (self.root, self.data):
            self.quiet_volume(volume)
            self.block.delete_volume(volume_id=volume, zone=ZONE)
            with refused(404, "not_found", resource="volume", resource_id=volume):
                self.block.get_volume(volume_id=volume, zone=ZONE)
        equal(self.instance.get_ip(zone=ZONE, ip=self.ip.id).ip.server, None)

    def too_small_a_copy_is_refused(self):
        with refused(412, "precondition_failed", precondition="resource_not_usable"):
            small = CreateVolumeRequestFromSnapshot(snapshot_id=self.copies["data"].id, size=10 * GB)
            self.block.create_volume(zone=ZONE, name="small", project_id=PROJECT, from_snapshot=small)

    def server_comes_back_from_snapshots(self):
        disks = {}
        for role in ("root", "data"):
            source = CreateVolumeRequestFromSnapshot(snapshot_id=self.copies[role].id, size=None)
            made = self.block.create_volume(zone=ZONE, name=f"pad-{role}", project_id=PROJECT, perf_iops=5000, tags=["pad", role], from_snapshot=source)
            equal((made.parent_snapshot_id, made.size), (self.copies[role].id, self.copies[role].size))
            disks[role] = self.block.wait_for_volume(volume_id=made.id, zone=ZONE).id
        server = self.instance.create_server(
            zone=ZONE,
            name="pad",
            commercial_type=TYPE,
            project=PROJECT,
            dynamic_ip_required=False,
            public_ips=[self.ip.id],
            tags=["pad"],
            volumes={"0": VolumeServerTemplate(volume_type="sbs_volume", id=disks["root"], size=None, boot=False)},
        ).server
        equal((server.image, server.volumes["0"].id), (None, disks["root"]))
        attached = self.instance.attach_server_volume(zone=ZONE, server_id=server.id, volume_id=disks["data"], volume_type="sbs_volume").server
        equal(attached.volumes["1"].id, disks["data"])
        self.act(server.id, "poweron", "running")
        self.id, self.root, self.data = server.id, disks["root"], disks["data"]

    def image_holds_its_snapshot(self):
        copy = self.copies["root"].id
        image = self.instance.create_image(zone=ZONE, name="pad", root_volume=copy, arch="x86_64", project=PROJECT, public=False).image
        equal((image.state, self.block.get_snapshot(snapshot_id=copy, zone=ZONE).status), ("available", "in_use"))
        with refused(412, "precondition_failed", precondition="protected_resource"):
            self.block.delete_snapshot(snapshot_id=copy, zone=ZONE)
        self.instance.delete_image(zone=ZONE, image_id=image.id)
        equal(self.block.get_snapshot(snapshot_id=copy, zone=ZONE).status, "available")

    def terminated_server_leaves_its_disks(self):
        self.instance.server_action(zone=ZONE, server_id=self.id, action="terminate")
        self.gone(self.id)
        for volume in (self.root, self.data):
            self.quiet_volume(volume)
            self.block.delete_volume(volume_id=volume, zone=ZONE)
        for copy in self.copies.values():
            self.block.delete_snapshot(snapshot_id=copy.id, zone=ZONE)
        self.instance.delete_ip(zone=ZONE, ip=self.ip.id)

    def what_is_wrong_is_told(self):
        nobody = "00000000-1111-4222-8333-444444444444"
        with refused(404, "not_found", resource="instance_server", resource_id=nobody):
            self.instance.get_server(zone=ZONE, server_id=nobody)
        with refused(404, "not_found", resource="instance_image", resource_id=nobody):
            self.instance.create_server(zone=ZONE, name="pad", commercial_type=TYPE, image=nobody, project=PROJECT)
        try:
            self.instance.create_server(zone=ZONE, name="pad", commercial_type=TYPE, project=PROJECT)
            raise AssertionError("a server of nothing was created")
        except ScalewayException as error:
            body = error.response.json()
            equal((error.status_code, body["type"]), (400, "invalid_arguments"))
            assert {"argument_name", "reason", "help_message"} <= set(body["details"][0]), body

    def strangers_are_kept_out(self):
        stranger = InstanceUtilsV1API(client(self.url, "00000000-1111-4222-8333-444444444444"))
        with refused(401, "denied_authentication", method="api_key", reason="not_found"):
            stranger.list_servers(zone=ZONE)

    def haste_is_limited(self):
        self.admin("faults", {"operation": "GET /block/v1/zones/{zone}/volumes", "what": "rate-limited", "times": 1, "skip": 0})
        try:
            self.block.list_volumes(include_deleted=False, zone=ZONE)
            raise AssertionError("not limited")
        except JSONDecodeError:
            # The SDK expects a body with every error; the API sends none with 429.
            pass
        equal(self.block.list_volumes(include_deleted=False, zone=ZONE).total_count, 0)

    def nothing_is_left(self):
        equal(self.instance.list_servers_all(zone=ZONE), [])
        equal(self.block.list_snapshots_all(include_deleted=False, zone=ZONE), [])
        equal(self.instance.list_ips_all(zone=ZONE), [])


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
