export function save(patient: Patient) {
  console.log(`saved ${patient.medicalRecordNumber}`);
}
