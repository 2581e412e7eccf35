"""Published recurrent models of the ventral stream: their architecture from the papers, weights from the user."""
