/** Where a container's own view of sysfs hides the counters, the host's goes under another path (Docker masks powercap since version 25). */
const containerRemedy = `docker or podman: run with -v /sys:/host/sys:ro -e CODECARBON_SYSFS_PATH=/host/sys --user 0
kubernetes: a hostPath volume of /sys, read-only, at /host/sys; the variable CODECARBON_SYSFS_PATH=/host/sys; runAsUser: 0`

/** What would make counters appear where the kernel shows none. RAPL is of Intel and AMD processors: elsewhere nothing would. */
export function remedyForNoZones(
  isContainer: boolean,
  architecture: string = process.arch,
): string | undefined {
  if (!['x64', 'ia32'].includes(architecture)) return undefined
  const host = `now: sudo modprobe intel_rapl_msr   (for AMD processors too)
at every boot: echo intel_rapl_msr | sudo tee /etc/modules-load.d/rapl.conf`
  return isContainer ? `${containerRemedy}\non the host, where it has none either, ${host}` : host
}

/** What would let this user read counters that root alone may (Linux 5.10 and later, CVE-2020-8694). */
export function remedyForPermission(sysfsPath: string, isContainer: boolean): string {
  if (isContainer) return containerRemedy
  const folder = `${sysfsPath}/devices/virtual/powercap`
  const rule = `SUBSYSTEM=="powercap", ACTION=="add", RUN+="/bin/chgrp -R rapl /sys%p", RUN+="/bin/chmod -R g+rX /sys%p"`
  return `until the next boot: sudo chgrp -R "$(id -gn)" ${folder} && sudo chmod -R g+rX ${folder}
for good: sudo groupadd -f rapl && sudo usermod -aG rapl "$USER" && echo '${rule}' | sudo tee /etc/udev/rules.d/60-powercap.rules && sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=powercap --action=add   (then log in again)
for every program of this node: sudo setcap cap_dac_read_search=ep "$(readlink -f "$(command -v node)")"
for a systemd service: AmbientCapabilities=CAP_DAC_READ_SEARCH`
}
