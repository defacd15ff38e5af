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
   * The stages of a module: its submodules where its forward pass is nothing but those one after
   * another, and theirs likewise; otherwise the whole module is one.
   */
  static List<Stage> of(JitModule module, String model) {
    List<Stage> stages = new ArrayList<>();
    JitModule own = new JitModule(module);
    own.retainReference();
    collect(stages, own, "", model);
    return stages;
  }

  private static void collect(List<Stage> into, JitModule module, String path, String model) {
    List<String> chain = SubmoduleChain.of(module);
    if (chain.isEmpty()) {
      into.add(new Stage(path, model, module));
      return;
    }
    for (String name : chain) {
      String inner = path.isEmpty() ? name : path + "." + name;
      collect(into, SubmoduleChain.child(module, name).orElseThrow(), inner, model);
    }
    module.close();
  }

  /** Its path in the module, for example {@code layers.0}; empty for the whole model. */
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
