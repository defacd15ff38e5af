package dev.lockstep.model;

import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * How libtorch's autocast for the CPU is set on a thread.
 *
 * @param enabled whether products are computed in a reduced type
 * @param type reduced to
 * @param cached whether the reduced copy of a parameter serves all of its uses
 */
record AutocastState(boolean enabled, ScalarType type, boolean cached) {
  /** This thread's. */
  static AutocastState current() {
    return new AutocastState(
        torch.is_autocast_enabled(DeviceType.CPU),
        torch.get_autocast_dtype(DeviceType.CPU),
        torch.is_autocast_cache_enabled());
  }

  AutocastState withoutCache() {
    return new AutocastState(enabled, type, false);
  }

  /** Makes it this thread's. */
  void set() {
    torch.set_autocast_enabled(DeviceType.CPU, enabled);
    torch.set_autocast_dtype(DeviceType.CPU, type);
    torch.set_autocast_cache_enabled(cached);
  }
}
