package dev.lockstep.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
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
  private final boolean isSegment;

  private Stage(String name, String model, JitModule module, boolean isSegment) {
    this.name = name;
    this.model = model;
    this.module = module;
    this.isSegment = isSegment;
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
      into.add(new Stage(path, model, module, false));
      return;
    }
    String prefix = path.isEmpty() ? "" : path + ".";
    for (ForwardCuts.Element element : elements) {
      if (element.submodule().isEmpty()) {
        String name = prefix + "forward[" + element.from() + ":" + element.to() + "]";
        into.add(new Stage(name, model, ForwardCuts.segment(module, element), true));
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

  /** Whether it is the module of this name, or a part of it. */
  boolean isIn(String path) {
    return name.equals(path) || name.startsWith(path + ".");
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

  /** The module's tensors that are not trained; they belong to the current scope. */
  List<Tensor> buffers() {
    return Submodules.buffers(module);
  }

  /** The addresses of the libtorch objects of all tensors that the stage may read or write. */
  Set<Long> tensors() {
    try (PointerScope scope = new PointerScope()) {
      Set<Long> used = new HashSet<>();
      Optional<Set<String>> attributes =
          isSegment ? ForwardCuts.attributesRead(module) : Optional.empty();
      if (attributes.isPresent()) {
        attributes.get().forEach(name -> addAttribute(used, name));
      } else {
        Submodules.addTensors(module, used);
      }
      return used;
    }
  }

  private void addAttribute(Set<Long> used, String name) {
    Optional<JitModule> child = Submodules.child(module, name);
    if (child.isPresent()) {
      try (JitModule own = child.get()) {
        Submodules.addTensors(own, used);
      }
      return;
    }
    IValue value = module.attr(name);
    if (value.isTensor()) {
      used.add(value.toTensor().unsafeGetTensorImpl().address());
    }
  }

  @Override
  public String toString() {
    return name.isEmpty() ? model : name + " of " + model;
  }

  void close() {
    module.close();
  }
}
