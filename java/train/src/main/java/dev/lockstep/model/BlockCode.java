package dev.lockstep.model;

import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.JitModule;

/**
 * A built-in block of layers in three parts, of which ranks can compute the middle one together,
 * each with a slice of the block's width: {@code leave(x, inside(enter(x)))}.
 *
 * @param enter statements that make y of x; empty where y is x
 * @param inside statements that make y of y; the last one is a linear map that takes the width
 * @param leave an expression of x and y
 * @param sliced the parameters of the middle part that are cut
 * @param added the bias of its last map, which one rank alone adds
 */
record BlockCode(
    String enter, String inside, String leave, List<SlicedParameter> sliced, String added) {
  /**
   * A parameter that is cut along a dimension.
   *
   * @param name within the block
   * @param groups into how many equal parts the dimension falls, each of which is cut alike, as
   *     those of query, key and value
   * @param unit elements that stay together, as those of a head
   */
  record SlicedParameter(String name, int dimension, int groups, int unit) {}

  BlockCode {
    sliced = List.copyOf(sliced);
  }

  /** The whole block as a method, for a rank that has all of it. */
  String forward() {
    return "def forward(self, x: Tensor) -> Tensor:\n"
        + (enter.isEmpty() ? "    y = x\n" : indented(enter))
        + indented(inside)
        + "    return "
        + leave
        + "\n";
  }

  private static String indented(String statements) {
    return statements.strip().indent(4);
  }

  /** The first part as a module that shares the block's tensors; empty where it does nothing. */
  Optional<JitModule> enterModule(JitModule block) {
    return enter.isEmpty()
        ? Optional.empty()
        : Optional.of(
            sharing(block, "def forward(self, x: Tensor) -> Tensor:\n" + indented(enter)));
  }

  /** The middle part as a module that shares the block's tensors. */
  JitModule insideModule(JitModule block) {
    return sharing(block, "def forward(self, y: Tensor) -> Tensor:\n" + indented(inside));
  }

  /** The last part as a module of two inputs. */
  JitModule leaveModule() {
    JitModule module = Mlp.module("Leave");
    module.define("def forward(self, x: Tensor, y: Tensor) -> Tensor:\n    return " + leave + "\n");
    module.retainReference();
    return module;
  }

  private static JitModule sharing(JitModule block, String method) {
    JitModule module = Mlp.module("Part");
    Submodules.parameters(block)
        .forEach((name, value) -> module.register_parameter(name, value, false));
    module.define(method + "    return y\n");
    module.retainReference();
    return module;
  }
}
