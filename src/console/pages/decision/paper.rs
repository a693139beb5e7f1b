//! A decision as one file that stands alone, for an auditor.

use askama::Template;

use crate::console::assets::text;
use crate::console::pages::decision::glance::Glance;
use crate::console::pages::decision::layers::{Layers, Medium, Sight, Told};
use crate::console::words::Words;
use crate::domain::note::Note;
use crate::domain::text::Language;
use crate::workflow::dossier_service::{Dossier, FeatureSpecs};

/// What [`decision_file`] shows.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The decision and what is known about its order.
    pub dossier: &'a Dossier,
    /// What people wrote about it.
    pub notes: &'a [Note],
    /// What its features are called.
    pub specs: &'a FeatureSpecs,
    /// The language of the file.
    pub language: Language,
}

#[derive(Template)]
#[template(path = "decision_paper.html", config = ".config/askama.toml")]
struct Paper {
    words: Words,
    styles: [&'static str; 2],
    id: String,
    glance: Glance,
    layers: Layers,
}

/// One HTML file: the style within, every fold open, no script and no link to elsewhere. A
/// decision that is judged blind keeps what it hides until somebody has chosen.
///
/// # Errors
/// When the template fails, which is a fault of this program.
pub fn decision_file(shown: &Shown<'_>) -> Result<String, askama::Error> {
    let (words, dossier) = (Words { language: shown.language }, shown.dossier);
    let (decision, order) = (&*dossier.scored.decision, &dossier.scored.request.order);
    let is_blind = decision.is_blind && dossier.choices.is_empty();
    let sight = if is_blind { Sight::Blind } else { Sight::Open };
    let told = Told {
        words,
        dossier,
        notes: shown.notes,
        specs: shown.specs,
        sight,
        medium: Medium::Paper,
    };
    let paper = Paper {
        words,
        styles: [text("app.css"), text("plot.css")],
        id: decision.decision_id.to_string(),
        glance: match sight {
            Sight::Open => Glance::open(words, decision, order),
            Sight::Blind => Glance::blind(words, decision, order),
        },
        layers: Layers::new(&told),
    };
    paper.render()
}
