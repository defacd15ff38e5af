package dev.lockstep.model;

import java.util.Map;
import org.bytedeco.pytorch.JitModule;

/**
 * A module that this library has built; the caller closes it.
 *
 * @param blocks by the name of the submodule, those that ranks can compute together
 */
record BuiltModule(JitModule module, Map<String, BlockCode> blocks) {
  BuiltModule {
    blocks = Map.copyOf(blocks);
  }
}
