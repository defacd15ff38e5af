package dev.lockstep.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;

/**
 * A part of a model that takes the tensor that the part before it gave. A model can be cut between
 * any two of its stages, because gradients can be handed over there (see {@link TrainingPass}).
 *
 * <p>Closed with the {@link Model}.
 */
public final class Stage {
  private final String name;
  private final String model;
  private final JitModule module;

  private Stage(String name, String model, JitModule module) {
    this.name = name;
    this.model = model;
    this.module = module;
  }

  /**
   * The stages of a module: the submodules around whose calls its forward pass can be cut, and
   * theirs likewise, and what lies between them; the whole module, if there are none.
   */
  static List<Stage> of(JitModule module, String model) {
    List<Stage> stages = new ArrayList<>();
    JitModule own = new JitModule(module);
    own.retainReference();
    collect(stages, own, "", model);
    stages.forEach(stage -> stage.module.train(module.is_training()));
    return stages;
  }

  private static void collect(List<Stage> into, JitModule module, String path, String model) {
    List<ForwardCuts.Element> elements = ForwardCuts.of(module);
    if (elements.isEmpty()) {
      into.add(new Stage(path, model, module));
      return;
    }
    String prefix = path.isEmpty() ? "" : path + ".";
    for (ForwardCuts.Element element : elements) {
      if (element.submodule().isEmpty()) {
        String name = prefix + "forward[" + element.from() + ":" + element.to() + "]";
        into.add(new Stage(name, model, ForwardCuts.segment(module, element)));
      } else {
        JitModule child = Submodules.child(module, element.submodule()).orElseThrow();
        collect(into, child, prefix + element.submodule(), model);
      }
    }
    module.close();
  }

  /**
   * Its path in the module, for example {@code layers.0}, or {@code forward[1:2]} for operations of
   * the module's own code; empty for the whole model.
   */
  public String name() {
    return name;
  }

  /**
   * Applies the stage.
   *
   * @param inputs what the stage before gave, or the model's inputs
   * @return its output; belongs to the current {@link org.bytedeco.javacpp.PointerScope}
   * @throws ModelException if it refuses the inputs
   */
  public Tensor forward(Tensor inputs) {
    return TorchScriptFile.forward(module, inputs, toString());
  }

  JitModule module() {
    return module;
  }

  @Override
  public String toString() {
    return name.isEmpty() ? model : name + " of " + model;
  }

  void close() {
    module.close();
  }
}
