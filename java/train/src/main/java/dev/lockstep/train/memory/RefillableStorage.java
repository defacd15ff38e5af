package dev.lockstep.train.memory;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DataPtr;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Storage;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Memory under tensors that comes and goes while the tensors stay: what a forward pass has saved of
 * a parameter, a transposed view for example, refers to the same storage and finds the values again
 * once the storage has memory again. Nothing may read the tensors while it has none. One thread.
 */
public final class RefillableStorage implements AutoCloseable {
  private final Tensor elements;
  private final Storage storage;

  /**
   * Makes the storage, without memory.
   *
   * @param bytes that it has room for
   */
  public RefillableStorage(ScalarType type, long bytes) {
    try (PointerScope scope = new PointerScope()) {
      elements = torch.empty(new long[] {0}, new TensorOptions(type), new MemoryFormatOptional());
      storage = elements.storage();
      storage.set_nbytes(bytes);
      elements.retainReference();
      storage.retainReference();
    }
  }

  /** A dense tensor from an element on; belongs to the current scope. */
  public Tensor view(long offset, long... shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= Math.max(1, shape[i]);
    }
    return elements.as_strided(shape, strides, new LongOptional(offset));
  }

  /** From now on the elements lie at an address, whose memory is the caller's. */
  public void fill(long address) {
    point(new Address(address));
  }

  /** From now on the elements have no memory. */
  public void empty() {
    point(new Address(0));
  }

  private void point(Address address) {
    try (PointerScope scope = new PointerScope()) {
      storage.set_data_ptr_noswap(new DataPtr(address, new Device(DeviceType.CPU)));
    }
  }

  /** Ends the storage for its owner; tensors that still view it must not be read. */
  @Override
  public void close() {
    empty();
    storage.close();
    elements.close();
  }

  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}
