package dev.lockstep.model;

import dev.lockstep.files.DurableFiles;
import dev.lockstep.torch.TorchLibraries;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.ExtraFilesMap;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads, writes and runs TorchScript modules. */
final class TorchScriptFile {
  private static final Logger log = LoggerFactory.getLogger(TorchScriptFile.class);

  private TorchScriptFile() {}

  /**
   * Reads a module into the CPU's memory, wherever it was saved; the caller closes it.
   *
   * @throws ModelException if the file is no TorchScript that this libtorch reads
   */
  static JitModule load(Path file) {
    if (!Files.isReadable(file)) {
      throw new ModelException("There is no readable model file " + file + "; check the path.");
    }
    TorchLibraries.load();
    try (PointerScope scope = new PointerScope()) {
      JitModule module =
          torch.load(file.toString(), new DeviceOptional(new Device(DeviceType.CPU)), true);
      List<String> traced = TracedModes.follow(module);
      if (!traced.isEmpty()) {
        log.warn(
            "{} was traced in training mode, which is for ever; its layers {} now follow the mode.",
            file,
            traced);
      }
      module.retainReference();
      return module;
    } catch (RuntimeException e) {
      throw LoadFailure.of(file, e);
    }
  }

  /** Replaces the file in one step. */
  static void save(JitModule module, Path file, String extraName, String extraText) {
    Path whole = file.toAbsolutePath();
    try (PointerScope scope = new PointerScope()) {
      Files.createDirectories(whole.getParent());
      ExtraFilesMap extra = new ExtraFilesMap();
      extra.put(new BytePointer(extraName), extraText);
      DurableFiles.replaceWith(whole, temporary -> module.save(temporary.toString(), extra));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The model could not be written to " + file + ": " + e.getMessage(), e);
    } catch (RuntimeException e) {
      throw new ModelException(
          "The model could not be written to " + file + " (" + ModelException.reason(e) + ").", e);
    }
  }

  /**
   * Runs a module on one tensor; the result belongs to the current scope.
   *
   * @throws ModelException if it fails, or gives something other than a tensor of real numbers
   */
  static Tensor forward(JitModule module, Tensor inputs, String description) {
    IValue result;
    try {
      result = module.forward(new IValueVector(new IValue(inputs)));
    } catch (RuntimeException e) {
      throw new ModelException(
          "The forward pass of "
              + description
              + " fails for inputs of shape "
              + Arrays.toString(ModelTensor.shape(inputs))
              + " and type "
              + inputs.scalar_type()
              + ": "
              + ModelException.reason(e),
          e);
    }
    if (!result.isTensor()) {
      throw new ModelException(
          "The forward pass of "
              + description
              + " gives "
              + result.tagKind().getString()
              + " instead of a tensor; wrap it in a module that returns one, [samples, outputs].");
    }
    Tensor output = result.toTensor();
    if (output.is_complex()) {
      throw new ModelException(
          "The forward pass of "
              + description
              + " gives complex numbers; let it return real ones, as with torch.view_as_real.");
    }
    return new Tensor(output); // the one inside of the IValue ends with it
  }
}
