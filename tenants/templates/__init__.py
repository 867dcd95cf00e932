"""What a tenant may say: approved bodies, their typed variables and the texts they give."""
