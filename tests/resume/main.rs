//! A training that is killed at random moments, again and again, against one that never was.
//!
//! A binary of its own: started with a folder in the environment it is the training, otherwise the test.

use std::{
    env,
    error::Error,
    fs,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    thread::sleep,
    time::Duration,
};

use burn_hebbian_tests::{
    course::{bits, train},
    values::numbers,
};
use libtest_mimic::{Arguments, Failed, Trial};

/// The environment variable that makes this program the training.
const FOLDER: &str = "HEBBIAN_RESUME_FOLDER";

const SEED: u64 = 5;
const EPOCHS: usize = 300;

/// Kills before the training may end in peace.
const KILLS: usize = 25;

fn main() -> ExitCode {
    if let Some(folder) = env::var_os(FOLDER) {
        return match training(Path::new(&folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let trial = Trial::test("resume_after_kills_at_random_moments", resume_after_kills);
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

/// Trains to the end from wherever it stands, and writes down what came out.
fn training(folder: &Path) -> Result<(), Box<dyn Error>> {
    let trained = train(&folder.join("checkpoints"), SEED, EPOCHS)?;
    let values: Vec<String> = bits(&trained.model).iter().map(u64::to_string).collect();
    fs::write(folder.join("weights"), values.join(" "))?;
    Ok(())
}

fn start(folder: &Path) -> std::io::Result<Child> {
    Command::new(env::current_exe()?).env(FOLDER, folder).stdout(Stdio::null()).spawn()
}

fn resume_after_kills() -> Result<(), Failed> {
    let (killed, whole) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut peaceful = start(whole.path())?;
    let mut landed = 0;
    // −1..1 → 20 to 220 milliseconds: before the first checkpoint, while training, while saving
    for moment in numbers(99, KILLS) {
        let mut child = start(killed.path())?;
        sleep(Duration::from_secs_f32(0.12 + 0.1 * moment));
        landed += usize::from(child.try_wait()?.is_none());
        child.kill()?; // SIGKILL
        child.wait()?;
    }
    assert!(landed >= 20, "only {landed} of {KILLS} kills met a training that was running");
    assert!(!killed.path().join("weights").exists(), "the training must not have ended yet");
    assert!(killed.path().join("checkpoints").exists(), "it got as far as a checkpoint");
    assert!(start(killed.path())?.wait()?.success(), "the last start runs to the end");
    assert!(peaceful.wait()?.success());
    let weights = |folder: &Path| fs::read_to_string(folder.join("weights"));
    assert!(weights(killed.path())? == weights(whole.path())?, "the same weights and state, bit for bit");
    Ok(())
}
