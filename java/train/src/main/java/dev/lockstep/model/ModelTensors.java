package dev.lockstep.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.Layout;
import org.bytedeco.pytorch.named_buffer_iterator;
import org.bytedeco.pytorch.named_buffer_list;
import org.bytedeco.pytorch.named_parameter_iterator;
import org.bytedeco.pytorch.named_parameter_list;

/**
 * The tensors of a module, each once.
 *
 * <p>Training moves them into memory of its own, so memory that two of them share must be known: a
 * view of another tensor is listed with that one and follows it. Two trainable parameters in the
 * same memory have two gradients for one set of values, which no flat optimiser can apply.
 */
final class ModelTensors {
  private final String model;
  private final List<ModelTensor> parameters = new ArrayList<>();
  private final List<ModelTensor> buffers = new ArrayList<>();

  private record Found(String name, Tensor value) {
    boolean trained() {
      return value.requires_grad();
    }
  }

  /** Addresses from {@code begin} on, before {@code end}. */
  private record Extent(long begin, long end) {
    static Extent of(Tensor tensor) {
      long last = 0;
      for (int i = 0; i < tensor.dim(); i++) {
        last += (tensor.size(i) - 1) * tensor.stride(i);
      }
      long begin = tensor.data_ptr().address();
      return new Extent(
          begin, tensor.numel() == 0 ? begin : begin + (last + 1) * tensor.element_size());
    }

    long bytes() {
      return end - begin;
    }

    boolean overlaps(Extent other) {
      return begin < other.end && other.begin < end;
    }

    boolean contains(Extent other) {
      return begin <= other.begin && other.end <= end;
    }
  }

  /**
   * Lists them; the caller closes them.
   *
   * @param model how messages call the model
   * @throws ModelException if one cannot be trained as it is
   */
  ModelTensors(JitModule module, String model) {
    this.model = model;
    try (PointerScope scope = new PointerScope()) {
      List<Found> found = find(module);
      // The largest first, so that a whole is listed before its parts.
      List<Found> wholesFirst = new ArrayList<>(found);
      wholesFirst.sort(Comparator.comparingLong(tensor -> -Extent.of(tensor.value()).bytes()));
      wholesFirst.stream().filter(Found::trained).forEach(this::list);
      wholesFirst.stream().filter(tensor -> !tensor.trained()).forEach(this::list);
      List<String> order = found.stream().map(Found::name).toList();
      parameters.sort(Comparator.comparingInt(tensor -> order.indexOf(tensor.name())));
      buffers.sort(Comparator.comparingInt(tensor -> order.indexOf(tensor.name())));
    } catch (ModelException e) {
      close();
      throw e;
    }
  }

  /** The module's tensors in its order; a tensor that two places name has one gradient, so once. */
  private static List<Found> find(JitModule module) {
    List<Found> found = new ArrayList<>();
    named_parameter_list named = module.named_parameters(true);
    named_parameter_iterator end = named.end();
    for (named_parameter_iterator i = named.begin(); i.notEquals(end); i.increment()) {
      found.add(new Found(i.access().name().getString(), new Tensor(i.access().value())));
    }
    named_buffer_list namedBuffers = module.named_buffers(true);
    named_buffer_iterator bufferEnd = namedBuffers.end();
    for (named_buffer_iterator i = namedBuffers.begin(); i.notEquals(bufferEnd); i.increment()) {
      found.add(new Found(i.access().name().getString(), new Tensor(i.access().value())));
    }
    Set<Long> seen = new HashSet<>();
    found.removeIf(
        tensor ->
            !tensor.value().defined() || !seen.add(tensor.value().unsafeGetTensorImpl().address()));
    return found;
  }

  List<ModelTensor> parameters() {
    return List.copyOf(parameters);
  }

  List<ModelTensor> buffers() {
    return List.copyOf(buffers);
  }

  void close() {
    parameters.forEach(ModelTensor::close);
    buffers.forEach(ModelTensor::close);
  }

  private void list(Found tensor) {
    check(tensor);
    if (addView(parameters, tensor) || addView(buffers, tensor)) {
      return;
    }
    List<ModelTensor> into = tensor.trained() ? parameters : buffers;
    into.add(new ModelTensor(tensor.name(), own(tensor.value()), List.of()));
  }

  private void check(Found tensor) {
    Tensor value = tensor.value();
    if (value.layout().intern() != Layout.Strided || value.is_quantized() || !value.is_cpu()) {
      throw new ModelException(
          "Tensor "
              + tensor.name()
              + " of "
              + model
              + " is sparse, quantized or not in the CPU's memory; only dense tensors are trained.");
    }
    if (tensor.trained() && value.is_complex()) {
      throw new ModelException(
          "Parameter "
              + tensor.name()
              + " of "
              + model
              + " is complex, and only real parameters are trained; keep its real and imaginary parts as a real parameter with a last dimension of 2, and use torch.view_as_complex in forward.");
    }
  }

  /** Lists a tensor as a view of one that is listed already, if it is. */
  private boolean addView(List<ModelTensor> bases, Found tensor) {
    Tensor value = tensor.value();
    Extent extent = Extent.of(value);
    for (int i = 0; i < bases.size(); i++) {
      ModelTensor base = bases.get(i);
      Extent whole = Extent.of(base.tensor());
      if (!whole.overlaps(extent)) {
        continue;
      }
      boolean follows =
          whole.contains(extent)
              && base.tensor().is_contiguous()
              && base.tensor().scalar_type().intern() == value.scalar_type().intern();
      if (tensor.trained() || !follows) {
        throw sharedMemory(base.name(), tensor.name());
      }
      long offset = (extent.begin() - whole.begin()) / value.element_size();
      List<ModelTensor.View> views = new ArrayList<>(base.views());
      views.add(
          new ModelTensor.View(
              tensor.name(), own(value), ModelTensor.shape(value), strides(value), offset));
      bases.set(i, new ModelTensor(base.name(), base.tensor(), views));
      return true;
    }
    return false;
  }

  private ModelException sharedMemory(String first, String second) {
    return new ModelException(
        "Tensors "
            + first
            + " and "
            + second
            + " of "
            + model
            + " share memory but are trained apart; keep one of them as a parameter, and take the other from it in forward, as with .t().");
  }

  private static long[] strides(Tensor tensor) {
    long[] strides = new long[(int) tensor.dim()];
    for (int i = 0; i < strides.length; i++) {
      strides[i] = tensor.stride(i);
    }
    return strides;
  }

  private static Tensor own(Tensor value) {
    Tensor own = new Tensor(value);
    own.retainReference();
    return own;
  }
}
