package dev.lockstep.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.named_buffer_iterator;
import org.bytedeco.pytorch.named_buffer_list;
import org.bytedeco.pytorch.named_module_iterator;
import org.bytedeco.pytorch.named_module_list;
import org.bytedeco.pytorch.named_parameter_iterator;
import org.bytedeco.pytorch.named_parameter_list;

/** Submodules and tensors by name. */
final class Submodules {
  private Submodules() {}

  /** A submodule; the caller closes it. */
  static Optional<JitModule> child(JitModule module, String name) {
    try (PointerScope scope = new PointerScope()) {
      named_module_list children = module.named_children();
      named_module_iterator end = children.end();
      for (named_module_iterator i = children.begin(); i.notEquals(end); i.increment()) {
        if (i.access().name().getString().equals(name)) {
          JitModule child = new JitModule(i.access().value());
          child.retainReference();
          return Optional.of(child);
        }
      }
    }
    return Optional.empty();
  }

  /** A module's buffers and those below it; they belong to the current scope. */
  static List<Tensor> buffers(JitModule module) {
    List<Tensor> buffers = new ArrayList<>();
    named_buffer_list named = module.named_buffers(true);
    named_buffer_iterator end = named.end();
    for (named_buffer_iterator i = named.begin(); i.notEquals(end); i.increment()) {
      buffers.add(new Tensor(i.access().value()));
    }
    return buffers;
  }

  /** A module's own parameters by name; they belong to the current scope. */
  static Map<String, Tensor> parameters(JitModule module) {
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    named_parameter_list named = module.named_parameters(false);
    named_parameter_iterator end = named.end();
    for (named_parameter_iterator i = named.begin(); i.notEquals(end); i.increment()) {
      parameters.put(i.access().name().getString(), new Tensor(i.access().value()));
    }
    return parameters;
  }

  /** Adds the addresses of the libtorch objects of a module's tensors and of those below it. */
  static void addTensors(JitModule module, Set<Long> into) {
    named_parameter_list parameters = module.named_parameters(true);
    named_parameter_iterator end = parameters.end();
    for (named_parameter_iterator i = parameters.begin(); i.notEquals(end); i.increment()) {
      into.add(i.access().value().unsafeGetTensorImpl().address());
    }
    buffers(module).forEach(buffer -> into.add(buffer.unsafeGetTensorImpl().address()));
  }

  /** Gives a clone the tensors of the module that it was cloned from, in place of its copies. */
  static void share(JitModule module, JitModule clone) {
    named_module_list modules = module.named_modules();
    named_module_list clones = clone.named_modules();
    named_module_iterator end = modules.end();
    named_module_iterator to = clones.begin();
    for (named_module_iterator from = modules.begin(); from.notEquals(end); from.increment()) {
      shareOwn(from.access().value(), to.access().value());
      to.increment();
    }
  }

  private static void shareOwn(JitModule module, JitModule clone) {
    named_parameter_list parameters = module.named_parameters(false);
    named_parameter_iterator end = parameters.end();
    for (named_parameter_iterator i = parameters.begin(); i.notEquals(end); i.increment()) {
      clone.setattr(i.access().name().getString(), new IValue(i.access().value()));
    }
    named_buffer_list buffers = module.named_buffers(false);
    named_buffer_iterator last = buffers.end();
    for (named_buffer_iterator i = buffers.begin(); i.notEquals(last); i.increment()) {
      clone.setattr(i.access().name().getString(), new IValue(i.access().value()));
    }
  }
}
