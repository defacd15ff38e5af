package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.federated.verify.FederationVerification;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.verify.Finding;
import dev.lockstep.train.verify.VerificationPlan;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("same-on-every-jdk")
@Timeout(240)
class FederationVerificationTest {
  @Test
  void federationsOfAllKindsKeepWhatIsPromisedOfThem() {
    TorchLibraries.load();
    VerificationPlan plan =
        new VerificationPlan(CommunicatorConfig.Choice.TCP, 2, 1, 1, 3, Duration.ofSeconds(60));
    List<Finding> findings = new FederationVerification(plan).run(finding -> {});
    assertEquals(List.of(), findings.stream().filter(finding -> !finding.passed()).toList());
    assertTrue(findings.size() >= 60, findings.size() + " findings");
  }
}
