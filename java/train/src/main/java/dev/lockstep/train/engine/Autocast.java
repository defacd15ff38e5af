package dev.lockstep.train.engine;

import dev.lockstep.model.FloatType;
import java.util.Optional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A region of this thread in which libtorch computes what gains by it (products, convolutions) in a
 * reduced type and what would lose too many digits in float32, by the lists of its autocast for the
 * CPU. Each float32 parameter is rounded once in a region; its gradient arrives in float32. When it
 * closes, autocast is as it was before.
 */
public final class Autocast implements AutoCloseable {
  private final boolean entered;
  private final boolean enabledBefore;
  private final ScalarType typeBefore;

  /**
   * Enters a region.
   *
   * @param type reduced to; empty for a region that changes nothing
   */
  public Autocast(Optional<FloatType> type) {
    entered = type.isPresent();
    enabledBefore = torch.is_autocast_enabled(DeviceType.CPU);
    typeBefore = torch.get_autocast_dtype(DeviceType.CPU);
    if (entered) {
      torch.set_autocast_dtype(DeviceType.CPU, type.orElseThrow().scalarType());
      torch.set_autocast_enabled(DeviceType.CPU, true);
      torch.increment_nesting();
    }
  }

  @Override
  public void close() {
    if (!entered) {
      return;
    }
    if (torch.decrement_nesting() == 0) {
      // Rounded parameters, which are of no use after the next update.
      torch.clear_cache();
    }
    torch.set_autocast_enabled(DeviceType.CPU, enabledBefore);
    torch.set_autocast_dtype(DeviceType.CPU, typeBefore);
  }
}
